/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inject.c: runs a program and makes one of its system calls fail.
 *
 *     inject list PROGRAM ARGUMENT...          runs it and writes a line "NUMBER NAME KIND..." for each of its calls to descriptor 3
 *     inject NUMBER KIND PROGRAM ARGUMENT...   call NUMBER fails: KIND is an errno, "short" (one byte is read or written) or "kill"
 *
 * Calls are counted from the marker (marker.c), before main(), over the program and its children in the order in which they come, so that
 * a number means nearly the same call in each run. Exit status: the program's; 128 and the signal that ended it; 124 after 60 seconds; 125
 * if the call was not reached; 126 for a mistake. Privilege: none beyond ptrace(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "marker.h"

#ifndef __x86_64__
#error "the registers of this processor are not known here"
#endif

#define CHILDREN 256

/* What may befall a call. */
static const struct call {
	long number;
	const char *name, *kinds;
} calls[] = {
	{ SYS_open, "open", "EIO ENOMEM EMFILE" }, { SYS_openat, "openat", "EIO ENOMEM EMFILE" },
	{ SYS_read, "read", "EIO EINTR short" }, { SYS_pread64, "pread", "EIO EINTR short" },
	{ SYS_write, "write", "EIO ENOSPC EINTR short" }, { SYS_pwrite64, "pwrite", "EIO ENOSPC short" },
	{ SYS_recvfrom, "recvfrom", "ECONNRESET EINTR short" }, { SYS_recvmsg, "recvmsg", "ECONNRESET EINTR ENOMEM" },
	{ SYS_sendto, "sendto", "ECONNRESET EINTR EAGAIN short" }, { SYS_sendmsg, "sendmsg", "ECONNRESET EINTR ENOMEM" },
	{ SYS_mmap, "mmap", "ENOMEM" }, { SYS_mkdir, "mkdir", "EIO ENOSPC" }, { SYS_mkdirat, "mkdirat", "EIO ENOSPC" },
	{ SYS_rename, "rename", "EIO ENOSPC" }, { SYS_renameat, "renameat", "EIO ENOSPC" }, { SYS_renameat2, "renameat2", "EIO ENOSPC" },
	{ SYS_unlink, "unlink", "EIO" }, { SYS_unlinkat, "unlinkat", "EIO" }, { SYS_fsync, "fsync", "EIO" },
	{ SYS_fdatasync, "fdatasync", "EIO" }, { SYS_ftruncate, "ftruncate", "EIO ENOSPC" }, { SYS_flock, "flock", "EINTR ENOLCK" },
	{ SYS_poll, "poll", "EINTR ENOMEM" }, { SYS_ppoll, "ppoll", "EINTR ENOMEM" }, { SYS_select, "select", "EINTR" },
	{ SYS_clone, "clone", "EAGAIN ENOMEM" }, { SYS_clone3, "clone3", "EAGAIN ENOMEM" }, { SYS_fork, "fork", "EAGAIN" },
	{ SYS_vfork, "vfork", "EAGAIN" }, { SYS_socket, "socket", "EMFILE ENOMEM" }, { SYS_socketpair, "socketpair", "EMFILE" },
	{ SYS_connect, "connect", "ECONNREFUSED EAGAIN EINTR" }, { SYS_pipe2, "pipe2", "EMFILE" }, { SYS_dup2, "dup2", "EINTR" },
	{ SYS_memfd_create, "memfd_create", "EMFILE" }, { SYS_inotify_init1, "inotify_init1", "EMFILE" },
	{ SYS_inotify_add_watch, "inotify_add_watch", "ENOSPC" }, { SYS_wait4, "wait4", "EINTR" }, { SYS_getdents64, "getdents64", "EIO ENOMEM" },
	{ SYS_newfstatat, "newfstatat", "EIO EACCES" }, { SYS_fstat, "fstat", "EIO" }, { SYS_stat, "stat", "EIO EACCES" },
	{ SYS_lstat, "lstat", "EIO EACCES" }, { SYS_statx, "statx", "EIO EACCES" }, { SYS_access, "access", "EIO EACCES" },
	{ SYS_faccessat, "faccessat", "EIO EACCES" }, { SYS_faccessat2, "faccessat2", "EIO EACCES" }, { SYS_readlink, "readlink", "EIO" },
	{ SYS_readlinkat, "readlinkat", "EIO" }, { SYS_fcntl, "fcntl", "EIO" }, { SYS_chmod, "chmod", "EIO" }, { SYS_fchmod, "fchmod", "EIO" },
	{ SYS_close, "close", "" }, { SYS_exit_group, "exit_group", "" },
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EIO", EIO }, { "ENOMEM", ENOMEM }, { "EMFILE", EMFILE }, { "EINTR", EINTR }, { "ENOSPC", ENOSPC }, { "EAGAIN", EAGAIN },
	{ "ECONNRESET", ECONNRESET }, { "ECONNREFUSED", ECONNREFUSED }, { "ENOLCK", ENOLCK }, { "EACCES", EACCES },
};

static struct {
	long target; /* 0: list */
	const char *kind;
	int error;   /* of kind, 0: short or kill */
	bool has_begun, is_done;
	long count;
	pid_t program;
	pid_t failing; /* whose call is to return the error */
	pid_t known[CHILDREN];
	size_t children;
} run;

/* Ends everything, since the program does not end (SIGALRM). */
static _Noreturn void on_alarm(int number)
{
	(void)number;
	_exit(124); /* PTRACE_O_EXITKILL takes the rest with it */
}

/* Return: the row of a call, NULL for one that nothing befalls. */
static const struct call *find_call(unsigned long number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if ((unsigned long)calls[i].number == number)
			return &calls[i];
	}
	return NULL;
}

/* Whether this process is seen for the first time. */
static bool is_new(pid_t pid)
{
	for (size_t i = 0; i < run.children; i++) {
		if (run.known[i] == pid)
			return false;
	}
	if (run.children < CHILDREN)
		run.known[run.children++] = pid;
	return true;
}

/* Sets a register. */
static void set_register(pid_t pid, size_t offset, unsigned long long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, offset, value) < 0)
		perror("inject: a register");
}

/* Makes the call that a process is about to make what it is to be. */
static void strike(pid_t pid, const struct ptrace_syscall_info *info)
{
	run.is_done = true;
	if (strcmp(run.kind, "kill") == 0) {
		kill(pid, SIGKILL);
	} else if (strcmp(run.kind, "short") == 0) {
		if (info->entry.args[2] > 1)
			set_register(pid, offsetof(struct user_regs_struct, rdx), 1);
	} else {
		set_register(pid, offsetof(struct user_regs_struct, orig_rax), (unsigned long long)-1);
		run.failing = pid;
	}
}

/* A process is about to make a call, or has made it. */
static void on_call(pid_t pid)
{
	struct ptrace_syscall_info info;
	const struct call *call;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && pid == run.failing) {
		set_register(pid, offsetof(struct user_regs_struct, rax), (unsigned long long)-run.error);
		run.failing = 0;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (info.entry.nr == SYS_prctl && info.entry.args[0] == MARKER)
		run.has_begun = true;
	call = run.has_begun ? find_call(info.entry.nr) : NULL;
	if (!call)
		return;
	run.count++;
	if (!run.target)
		dprintf(3, "%ld %s %s%skill\n", run.count, call->name, call->kinds, *call->kinds ? " " : "");
	else if (run.count == run.target && !run.is_done)
		strike(pid, &info);
}

/* A process has stopped; lets it go on. */
static void on_stop(pid_t pid, int status)
{
	int signal_number = WSTOPSIG(status);
	bool is_first = is_new(pid) && pid != run.program;

	if (signal_number == (SIGTRAP | 0x80))
		on_call(pid);
	if (signal_number == (SIGTRAP | 0x80) || status >> 16 || (is_first && signal_number == SIGSTOP) || signal_number == SIGTRAP)
		signal_number = 0;
	ptrace(PTRACE_SYSCALL, pid, 0, signal_number);
}

/* Follows the program and its children to the program's end. Return: its exit status, as the head of this file says. */
static int follow(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid > 0 && WIFSTOPPED(status))
			on_stop(pid, status);
		else if (pid == run.program)
			return run.target && !run.is_done ? 125 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return 126;
}

/* main() - see the head of this file. */
int main(int argc, char **argv)
{
	const int first = argc > 1 && strcmp(argv[1], "list") == 0 ? 2 : 3;
	int status;

	if (argc <= first)
		return 126;
	run.target = first == 3 ? atol(argv[1]) : 0;
	run.kind = first == 3 ? argv[2] : "";
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		run.error = strcmp(run.kind, errors[i].name) == 0 ? errors[i].number : run.error;
	if (first == 3 && (run.target < 1 || (!run.error && strcmp(run.kind, "kill") != 0 && strcmp(run.kind, "short") != 0)))
		return 126;
	run.program = fork();
	if (run.program == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(argv[first], argv + first);
		_exit(126);
	}
	signal(SIGALRM, on_alarm);
	alarm(60);
	if (run.program < 0 || waitpid(run.program, &status, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, run.program, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		   PTRACE_O_EXITKILL) < 0 || ptrace(PTRACE_SYSCALL, run.program, 0, 0) < 0)
		return 126;
	return follow();
}
