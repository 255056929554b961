#include "proc/user.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/process.hpp"

namespace meridian::proc {
namespace {

TEST(FindUser, AnUnknownNameIsSaid) {
  Result<io::User> user = FindUser("no-such-user");
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, Errc::kNotFound);
  EXPECT_EQ(user.error().message, "there is no user no-such-user");
}

TEST(FindUser, AUserHasItsOwnGroupAmongItsGroups) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  io::User user = FindUser("nobody").value();
  EXPECT_NE(user.uid, 0U);
  EXPECT_THAT(user.groups, testing::Contains(user.gid));
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    reading = io::Fd(ends[0]);
    writing = io::Fd(ends[1]);
  }
  std::string ReadToEnd() {
    writing.Reset();
    std::string text;
    std::array<char, 256> piece{};
    for (ssize_t got = 0; (got = read(reading.get(), piece.data(), piece.size())) > 0;) {
      text.append(piece.data(), static_cast<size_t>(got));
    }
    return text;
  }
  io::Fd reading;
  io::Fd writing;
};

TEST(ProcessOfAnotherUser, HasItsIdsGroupsAndEnvironment) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  io::EpollDriver driver;
  io::Loop loop(driver);
  Pipe output;
  auto process = io::Process::Start(
      driver, {.command = {"sh", "-c", "id -u; id -g; id -G; echo $USER $LOGNAME $HOME"},
               .descriptors = {{1, output.writing.get()}},
               .user = FindUser("nobody").value()});
  ASSERT_TRUE(process) << process.error().message;
  std::string text = output.ReadToEnd();
  EXPECT_EQ(loop.RunToEnd((*process)->Wait())->code, 0);
  EXPECT_EQ(text, "65534\n65534\n65534\nnobody nobody /nonexistent\n");
}

// A change of credentials clears the signal that a process gets when its parent dies.
TEST(ProcessOfAnotherUser, DiesWithItsParent) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  Pipe pids;
  pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    io::EpollDriver driver;
    auto process = io::Process::Start(
        driver, {.command = {"sleep", "1000"}, .user = FindUser("nobody").value()});
    pid_t child = process ? (*process)->pid() : 0;
    (void)!write(pids.writing.get(), &child, sizeof child);
    pause();
  }
  pid_t child = 0;
  ASSERT_EQ(read(pids.reading.get(), &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ASSERT_GT(child, 0);
  io::Fd watched(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_TRUE(watched);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  pollfd ended{.fd = watched.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&ended, 1, 10'000), 1);
}

TEST(ProcessOfAnotherUser, CannotTakeItsFormerRightsBack) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  io::EpollDriver driver;
  io::Loop loop(driver);
  auto process = io::Process::Start(driver, {.command = {"sh", "-c", "kill -0 $PPID 2>/dev/null"},
                                             .user = FindUser("nobody").value()});
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_NE(loop.RunToEnd((*process)->Wait())->code, 0);
}

}  // namespace
}  // namespace meridian::proc
