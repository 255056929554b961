#include "proc/supervised_child.hpp"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "io/descendants.hpp"
#include "io/net/socket.hpp"
#include "proc/limits.hpp"
#include "proc/line_capture.hpp"

namespace meridian::proc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SupervisedChildTest : public testing::Test {
 protected:
  SupervisedChild::Options Shell(std::string script, Duration stop_timeout = seconds(10)) {
    return {.name = "shell",
            .stop_timeout = stop_timeout,
            .prepare = [script]() -> Result<io::ProcessOptions> {
              return io::ProcessOptions{.command = {"sh", "-c", script}};
            },
            .attend = [](io::Process&) -> io::Task<void> { co_return; },
            .changed = [this] { changed_.WakeAll(); }};
  }

  // Runs `child` until `done`, then stops it.
  void RunUntil(SupervisedChild& child, std::function<bool()> done) {
    auto watch = [&]() -> io::Task<void> {
      while (!done()) (void)co_await changed_.Wait(loop_.After(seconds(10)));
      child.Stop();
    };
    auto both = [&]() -> io::Task<void> {
      io::Scope scope(loop_);
      scope.Spawn(child.Run());
      scope.Spawn(watch());
      co_await scope.Join();
    };
    loop_.RunToEnd(both());
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  io::WaitQueue changed_;
};

TEST_F(SupervisedChildTest, AChildThatEndsIsStartedAgainAndTheReasonIsKept) {
  SupervisedChild child(driver_, loop_, Shell("exit 3"));
  std::vector<std::string> problems;
  RunUntil(child, [&] {
    if (child.pid() == 0) problems.push_back(child.problem());
    return problems.size() == 2;
  });
  EXPECT_EQ(problems, (std::vector<std::string>{"exit status 3", "exit status 3"}));
}

TEST_F(SupervisedChildTest, AKilledChildComesBackUnderAnotherPid) {
  SupervisedChild child(driver_, loop_, Shell("exec sleep 1000"));
  pid_t first = 0;
  RunUntil(child, [&] {
    if (first == 0 && child.pid() != 0) {
      first = child.pid();
      kill(first, SIGKILL);
    }
    return child.pid() != 0 && child.pid() != first;
  });
  EXPECT_EQ(child.restarts(), 1u);
  EXPECT_EQ(child.pid(), 0);
}

TEST_F(SupervisedChildTest, AChildThatIsToRestartIsAskedOnceAndItsSuccessorIsLeftAlone) {
  Duration stop_timeout = milliseconds(20);
  SupervisedChild child(driver_, loop_, Shell("exec sleep 1000", stop_timeout));
  std::string problem;
  auto watch = [&]() -> io::Task<void> {
    while (child.pid() == 0) (void)co_await changed_.Wait(loop_.After(seconds(10)));
    pid_t first = child.pid();
    child.Restart();
    child.Restart();
    while (child.pid() == first) (void)co_await changed_.Wait(loop_.After(seconds(10)));
    problem = child.problem();
    while (child.pid() == 0) (void)co_await changed_.Wait(loop_.After(seconds(10)));
    Result<void> changed = co_await changed_.Wait(loop_.After(3 * stop_timeout));
    EXPECT_EQ(changed.error().code, Errc::kTimeout);
    child.Stop();
  };
  auto both = [&]() -> io::Task<void> {
    io::Scope scope(loop_);
    scope.Spawn(child.Run());
    scope.Spawn(watch());
    co_await scope.Join();
  };
  loop_.RunToEnd(both());
  EXPECT_EQ(problem, "signal 15 (Terminated)");
  EXPECT_EQ(child.restarts(), 1u);
}

TEST_F(SupervisedChildTest, AChildThatIgnoresSigtermIsKilled) {
  SupervisedChild child(driver_, loop_, Shell("trap '' TERM; exec sleep 1000", milliseconds(20)));
  RunUntil(child, [&] { return child.pid() != 0; });
  EXPECT_EQ(child.pid(), 0);
}

TEST_F(SupervisedChildTest, AProgramThatDoesNotExistIsNamed) {
  auto options = Shell("");
  options.prepare = []() -> Result<io::ProcessOptions> {
    return io::ProcessOptions{.command = {"no-such-program"}};
  };
  SupervisedChild child(driver_, loop_, options);
  RunUntil(child, [&] { return child.restarts() == 1; });
  EXPECT_EQ(child.problem(), "cannot run: there is no program no-such-program on the PATH");
}

TEST_F(SupervisedChildTest, WhatAChildLeftBehindIsKilledBeforeTheNextStart) {
  io::BecomeSubreaper();
  auto options = Shell("setsid sleep 1000 & kill -9 $$");
  options.left_behind = [](pid_t) { return io::Descendants(getpid()); };
  std::vector<size_t> left;
  auto prepare = options.prepare;
  options.prepare = [&, prepare] {
    left.push_back(io::Descendants(getpid()).size());
    return prepare();
  };
  SupervisedChild child(driver_, loop_, options);
  RunUntil(child, [&] { return left.size() == 3; });
  EXPECT_EQ(left, (std::vector<size_t>{0, 0, 0}));
}

TEST_F(SupervisedChildTest, CapturedLinesAreWholeBoundedAndNotEmpty) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  io::Fd writing(ends[1]);
  std::string text = "one\r\n\ntwo\n" + std::string(kMaxCapturedLine + 5, 'x') + "\nlast";
  ASSERT_EQ(write(writing.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  writing.Reset();
  std::string bytes;
  std::vector<std::string> lines;
  LineObserver observer{.bytes = [&](std::string_view read) { bytes += read; },
                        .line = [&](std::string_view line) { lines.emplace_back(line); }};
  loop_.RunToEnd(CaptureLines(network_.Adopt(io::Fd(ends[0])), std::move(observer)));
  EXPECT_EQ(bytes, text);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", std::string(kMaxCapturedLine, 'x'),
                                             "xxxxx", "last"}));
}

}  // namespace
}  // namespace meridian::proc
