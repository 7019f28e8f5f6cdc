/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * backstop.c: the end of a call by force. See backstop.h.
 */
#include "backstop.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dev_log.h"
#include "deadline.h"

static volatile sig_atomic_t is_refusal; /* what the program ends with when it is ended by force */
static int64_t begin;                    /* clock_ms() of the call's first instruction */

/*
 * on_alarm() - ends the program (SIGALRM); nothing here takes a lock
 */
static _Noreturn void on_alarm(int signal_number)
{
	static const char text[] = "vferry: the hook did not end within hook_deadline; what it changed is taken back by the next call, or by "
				   "'vferry release'\n";
	static const char line[] = DEV_LOG_DAEMON_ERROR
		"vferry: a hook did not end within hook_deadline; what it changed is taken back by the next call, or by 'vferry release'";

	(void)signal_number;
	(void)dev_log_send(line, sizeof(line) - 1); /* NOLINT(bugprone-signal-handler): it makes system calls alone */
	if (is_refusal && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(is_refusal);
}

/* See backstop.h. */
void backstop_refuses(bool refuses)
{
	is_refusal = refuses;
}

/* See backstop.h. A timer in the past would be none. */
int backstop_limit(unsigned int seconds)
{
	int64_t passed = clock_ms() - begin, left = (int64_t)seconds * 1000 - passed;
	struct itimerval timer = { 0 };

	if (left < 1)
		left = 1;
	timer.it_value = (struct timeval){ .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
	setitimer(ITIMER_REAL, &timer, NULL);
	return (int)passed;
}

/* See backstop.h. Without a timer, the program was started by somebody else than the hook's first one. */
void backstop_begin(bool refuses)
{
	struct itimerval timer = { 0 };
	sigset_t set;

	getitimer(ITIMER_REAL, &timer);
	begin = clock_ms();
	if (timer.it_value.tv_sec || timer.it_value.tv_usec)
		begin -= HOOK_DEADLINE_USUAL * 1000 - timer.it_value.tv_sec * 1000 - timer.it_value.tv_usec / 1000;
	backstop_refuses(refuses);
	signal(SIGALRM, on_alarm);
	(void)backstop_limit(HOOK_DEADLINE_USUAL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
