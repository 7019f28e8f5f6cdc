/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door to /sys, /proc, /run and /etc. */
#include "check.h"

#include <fcntl.h>

#include "base/sysroot.h"

/* Starts a test with an empty root. */
static void fresh_root(void)
{
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(puts_the_root_before_every_path)
{
	char path[64];

	CHECK_INT(sysroot_set("/some/root//"), 0);
	CHECK_INT(sysroot_path(path, sizeof(path), "/sys/%s", "x"), 0);
	CHECK_STR(path, "/some/root/sys/x");
	CHECK_INT(sysroot_set("/"), 0);
	CHECK_INT(sysroot_path(path, sizeof(path), "/sys/%s", "x"), 0);
	CHECK_STR(path, "/sys/x");
}

TEST(says_when_a_path_does_not_fit)
{
	char path[8], longest[PATH_MAX + 1];

	CHECK_INT(sysroot_set(""), 0);
	CHECK_INT(sysroot_path(path, sizeof(path), "/1234567"), -ENAMETOOLONG);
	CHECK_INT(sysroot_path(path, sizeof(path), "/123456"), 0);
	memset(longest, 'x', PATH_MAX);
	longest[PATH_MAX] = '\0';
	CHECK_INT(sysroot_set(longest), -ENAMETOOLONG);
	CHECK_INT(sysroot_read(path, sizeof(path), "/%s", longest), -ENAMETOOLONG);
	CHECK(!sysroot_opendir("/%s", longest) && errno == ENAMETOOLONG);
}

TEST(reads_an_attribute_without_its_last_newline)
{
	char text[8];

	fresh_root();
	check_file("/sys/a", "12345\n");
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/%s", "a"), 5);
	CHECK_STR(text, "12345");
	check_file("/sys/a", "x\n\n");
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/a"), 2);
	CHECK_STR(text, "x\n");
	check_file("/sys/a", "");
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/a"), 0);
	CHECK_STR(text, "");
}

TEST(says_when_an_attribute_is_too_big_or_absent)
{
	char text[8];

	fresh_root();
	check_file("/sys/a", "12345678");
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/a"), -E2BIG);
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/b"), -ENOENT);
}

TEST(reads_numbers_as_the_kernel_writes_them)
{
	static const char *const bad[] = {"", "0x", "-1", "+1", " 1", "1 2", "0x1g", "1a", "99999999999999999999999", "abc", "1\n\n"};
	unsigned long number = 77;

	fresh_root();
	check_file("/n", "010\n");
	CHECK_INT(sysroot_read_number(&number, "/n"), 0);
	CHECK_INT(number, 10);
	check_file("/n", "0x15B3\n");
	CHECK_INT(sysroot_read_number(&number, "/n"), 0);
	CHECK_INT(number, 0x15b3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		check_file("/n", bad[i]);
		if (sysroot_read_number(&number, "/n") != -EINVAL)
			FAIL("accepted \"%s\"", bad[i]);
	}
	CHECK_INT(number, 0x15b3);
	CHECK_INT(sysroot_read_number(&number, "/absent"), -ENOENT);
}

TEST(names_what_a_link_points_to)
{
	char name[10];

	fresh_root();
	check_link("../../bus/pci/drivers/mlx5_core", "/sys/devices/x/driver");
	check_link("plain", "/sys/devices/x/other");
	check_file("/sys/devices/x/file", "");
	CHECK_INT(sysroot_link_name(name, sizeof(name), "/sys/devices/%s/driver", "x"), 0);
	CHECK_STR(name, "mlx5_core");
	CHECK_INT(sysroot_link_name(name, sizeof(name), "/sys/devices/x/other"), 0);
	CHECK_STR(name, "plain");
	CHECK_INT(sysroot_link_name(name, 9, "/sys/devices/x/driver"), -ENAMETOOLONG);
	CHECK_INT(sysroot_link_name(name, sizeof(name), "/sys/devices/x/file"), -EINVAL);
	CHECK_INT(sysroot_link_name(name, sizeof(name), "/sys/devices/y/driver"), -ENOENT);
}

TEST(writes_an_existing_attribute_and_never_makes_one)
{
	char text[16];

	fresh_root();
	check_file("/sys/sriov_numvfs", "16\n");
	CHECK_INT(sysroot_write("8", "/sys/%s", "sriov_numvfs"), 0);
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/sriov_numvfs"), 1);
	CHECK_STR(text, "8");
	CHECK_INT(sysroot_write("8", "/sys/absent"), -ENOENT);
	CHECK(!sysroot_exists("/sys/absent") && sysroot_exists("/sys/sriov_numvfs"));
}

TEST(hands_on_what_the_kernel_answers_to_a_write)
{
	CHECK_INT(sysroot_set(""), 0);
	CHECK_INT(sysroot_write("x", "/dev/full"), -ENOSPC);
}

TEST(slurps_a_file_up_to_the_limit_and_not_a_byte_more)
{
	size_t size = 100000;
	char *big = malloc(size), *out = NULL;

	CHECK(big != NULL);
	memset(big, 'a', size);
	fresh_root();
	check_file_bytes("/run/f", big, size);
	CHECK_INT(sysroot_slurp(&out, size, "/run/f"), size);
	CHECK(memcmp(out, big, size) == 0 && out[size] == '\0');
	free(out);
	out = NULL;
	CHECK_INT(sysroot_slurp(&out, size - 1, "/run/f"), -EFBIG);
	CHECK_INT(sysroot_slurp(&out, 16384, "/run/f"), -EFBIG);
	CHECK(out == NULL);
	check_file("/run/f", "");
	CHECK_INT(sysroot_slurp(&out, 0, "/run/f"), 0);
	CHECK_STR(out, "");
	free(out);
	free(big);
}

TEST(does_not_wait_for_a_pipe_that_stands_where_a_file_should)
{
	char *out = NULL;
	const char *path;

	fresh_root();
	path = check_file("/run/pipe", "");
	CHECK_INT(unlink(path), 0);
	CHECK_INT(mkfifo(path, 0600), 0);
	CHECK_INT(sysroot_slurp(&out, 100, "/run/pipe"), -EINVAL);
	CHECK_INT(sysroot_slurp(&out, 100, "/run"), -EINVAL);
	CHECK(out == NULL);
}

TEST(a_file_that_decides_is_read_only_if_nobody_else_could_have_written_it)
{
	char *out = NULL;
	const char *path;

	fresh_root();
	path = check_file("/etc/f", "mine");
	CHECK_INT(chmod(path, 0644), 0);
	CHECK_INT(sysroot_slurp_checked(&out, 100, SLURP_OWNED, "/etc/f"), 4);
	free(out);
	out = NULL;
	CHECK_INT(chmod(path, 0646), 0);
	CHECK_INT(sysroot_slurp_checked(&out, 100, SLURP_OWNED, "/etc/f"), -EPERM);
	CHECK(out == NULL);
}

TEST(a_link_is_followed_only_where_it_may_be_one_and_is_ours)
{
	char *out = NULL;

	fresh_root();
	CHECK_INT(chmod(check_file("/etc/f", "mine"), 0644), 0);
	check_link("f", "/etc/link");
	CHECK_INT(sysroot_slurp_checked(&out, 100, SLURP_OWNED, "/etc/link"), 4);
	free(out);
	out = NULL;
	CHECK_INT(sysroot_slurp_checked(&out, 100, SLURP_OWNED | SLURP_NO_LINK, "/etc/link"), -ELOOP);
	CHECK(out == NULL);
}

TEST(a_file_and_a_link_of_somebody_else_are_refused)
{
	char *out = NULL, link[PATH_MAX + 16];
	const char *path;

	if (geteuid() != 0)
		SKIP("only root may give files away");
	fresh_root();
	path = check_file("/etc/f", "mine");
	CHECK_INT(chown(path, 65534, 65534), 0);
	CHECK_INT(sysroot_slurp_checked(&out, 100, SLURP_OWNED, "/etc/f"), -EPERM);
	CHECK_INT(chown(path, 0, 0), 0);
	check_link("f", "/etc/link");
	snprintf(link, sizeof(link), "%s/etc/link", check_scratch());
	CHECK_INT(lchown(link, 65534, 65534), 0);
	CHECK_INT(sysroot_slurp_checked(&out, 100, SLURP_OWNED, "/etc/link"), -EPERM);
	CHECK(out == NULL);
}

TEST(replaces_a_file_whole_with_mode_0600_and_leaves_nothing_else)
{
	struct stat info;
	const char *path;
	char text[16];
	DIR *directory;
	int names = 0;

	fresh_root();
	path = check_file("/run/vferry/lease", "old");
	CHECK_INT(sysroot_replace("new", 3, "/run/vferry/%s", "lease"), 0);
	CHECK_INT(sysroot_read(text, sizeof(text), "/run/vferry/lease"), 3);
	CHECK_STR(text, "new");
	CHECK_INT(stat(path, &info), 0);
	CHECK_INT(info.st_mode & 07777, 0600);
	directory = sysroot_opendir("/run/vferry");
	CHECK(directory != NULL);
	for (struct dirent *entry; (entry = readdir(directory));)
		names += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	closedir(directory);
	CHECK_INT(names, 1);
}

TEST(replacing_a_link_does_not_touch_what_it_points_to)
{
	char text[16];

	fresh_root();
	check_file("/etc/victim", "precious");
	check_link("../etc/victim", "/run/lease");
	CHECK_INT(sysroot_replace("new", 3, "/run/lease"), 0);
	CHECK_INT(sysroot_read(text, sizeof(text), "/etc/victim"), 8);
	CHECK_STR(text, "precious");
	CHECK_INT(sysroot_link_name(text, sizeof(text), "/run/lease"), -EINVAL);
}

TEST(a_replacement_that_fails_leaves_the_old_file)
{
	char text[16];

	fresh_root();
	check_file("/run/d/x", "old");
	CHECK_INT(sysroot_replace("new", 3, "/run/d"), -EISDIR);
	CHECK_INT(sysroot_replace("new", 3, "/absent/x"), -ENOENT);
	CHECK_INT(sysroot_read(text, sizeof(text), "/run/d/x"), 3);
	CHECK_STR(text, "old");
}

TEST(opened_files_are_closed_on_exec)
{
	int fd;

	fresh_root();
	fd = sysroot_open(O_RDWR | O_CREAT, 0600, "/%s", "f");
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	CHECK_INT(sysroot_open(O_RDONLY, 0, "/absent"), -ENOENT);
}
