#include "io/process.hpp"

#include <array>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/blocking.hpp"
#include "io/descendants.hpp"
#include "io/file/file.hpp"
#include "io/loop.hpp"
#include "io/net/datagram_batch.hpp"
#include "io/net/socket.hpp"

namespace meridian::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProcessTest : public testing::Test {
 protected:
  // Runs a shell script; its output goes to `output`.
  Task<Result<ExitStatus>> Shell(std::string script, std::string* output,
                                 ProcessOptions options = {}) {
    std::array<int, 2> ends{};
    CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
    Fd writing(ends[1]);
    auto reading = network_.Adopt(Fd(ends[0]));
    options.command = {"sh", "-c", script};
    options.descriptors = {{1, writing.get()}};
    auto process = Process::Start(driver_, options);
    if (!process) co_return Fail(process.error());
    writing.Reset();
    std::vector<uint8_t> space(4096);
    for (;;) {
      Result<size_t> got = co_await reading->Read(space);
      if (!got || *got == 0) break;
      *output += AsText({space.data(), *got});
    }
    co_return co_await (*process)->Wait(loop_.After(seconds(10)));
  }

  EpollDriver driver_;
  Loop loop_{driver_};
  SystemNetwork network_{driver_};
};

TEST_F(ProcessTest, OutputEnvironmentDirectoryAndStatusAreAsAsked) {
  std::string output;
  ProcessOptions options{.environment = {{"COLOUR", "blue"}}, .directory = "/"};
  Result<ExitStatus> status = loop_.RunToEnd(Shell("echo $COLOUR $PWD; exit 3", &output, options));
  EXPECT_EQ(output, "blue /\n");
  EXPECT_EQ(status->code, 3);
  EXPECT_EQ(status->ToString(), "exit status 3");
}

TEST_F(ProcessTest, ProgramThatDoesNotExistIsNamed) {
  auto process = Process::Start(driver_, {.command = {"no-such-program"}});
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, Errc::kNotFound);
  EXPECT_THAT(process.error().message, testing::HasSubstr("no-such-program"));
}

TEST_F(ProcessTest, DirectoryThatDoesNotExistIsNamed) {
  auto process = Process::Start(driver_, {.command = {"true"}, .directory = "/no/such"});
  ASSERT_FALSE(process);
  EXPECT_THAT(process.error().message, testing::HasSubstr("/no/such"));
}

TEST_F(ProcessTest, ASignalledChildSaysSo) {
  auto run = [&]() -> Task<void> {
    auto process = Process::Start(driver_, {.command = {"sleep", "1000"}}).value();
    EXPECT_TRUE(process->running());
    process->Signal(SIGTERM);
    Result<ExitStatus> status = co_await process->Wait(loop_.After(seconds(10)));
    EXPECT_EQ(status->signal, SIGTERM);
    EXPECT_FALSE(process->running());
  };
  loop_.RunToEnd(run());
}

TEST_F(ProcessTest, AForgottenChildIsKilled) {
  pid_t pid = 0;
  {
    auto process = Process::Start(driver_, {.command = {"sleep", "1000"}}).value();
    pid = process->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(ProcessTest, ADescriptorIsHandedOverUnderItsNewNumber) {
  auto run = [&]() -> Task<void> {
    std::array<int, 2> ends{};
    CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
    Fd writing(ends[1]);
    auto reading = network_.Adopt(Fd(ends[0]));
    auto process = Process::Start(
        driver_, {.command = {"sh", "-c", "echo hi >&7"}, .descriptors = {{7, writing.get()}}});
    EXPECT_TRUE(process);
    std::vector<uint8_t> space(16);
    Result<size_t> got = co_await reading->Read(space, loop_.After(seconds(10)));
    EXPECT_EQ(AsText({space.data(), got.value()}), "hi\n");
  };
  loop_.RunToEnd(run());
}

TEST_F(ProcessTest, SignalsArriveAsEvents) {
  auto run = [&]() -> Task<void> {
    Signals signals(driver_, {SIGUSR1});
    kill(getpid(), SIGUSR1);
    Result<int> number = co_await signals.Next(loop_.After(seconds(10)));
    EXPECT_EQ(number.value(), SIGUSR1);
  };
  loop_.RunToEnd(run());
}

TEST(Descendants, EvenOnesThatLeftTheSessionAreKilled) {
  // In a child process, because the subreaper's children include all processes of this test
  // program.
  pid_t child = fork();
  if (child == 0) {
    BecomeSubreaper();
    pid_t shell = fork();
    if (shell == 0) {
      execlp("sh", "sh", "-c", "setsid sh -c 'sleep 1000 & sleep 1000' & sleep 1000", nullptr);
    }
    while (Descendants(getpid()).size() < 4) {
    }
    bool clean = KillDescendants(seconds(10)) && Descendants(getpid()).empty();
    _exit(clean ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Descendants, OrphansAreKilledAndOurChildrenAreKept) {
  pid_t child = fork();
  if (child == 0) {
    BecomeSubreaper();
    pid_t ours = fork();
    if (ours == 0) execlp("sh", "sh", "-c", "sleep 1000 & wait", nullptr);
    // Two processes left behind by a parent that ends at once.
    pid_t parent = fork();
    if (parent == 0) execlp("sh", "sh", "-c", "setsid sleep 1000 & sleep 1000 &", nullptr);
    waitpid(parent, nullptr, 0);
    while (Descendants(getpid()).size() < 4) {
    }
    KillOrphans({ours}, seconds(10));
    bool right = Descendants(getpid()).size() == 2 && kill(ours, 0) == 0;
    KillDescendants(seconds(10));
    _exit(right ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Descendants, ProcessesLeftBehindAreFoundBySessionAndByMark) {
  pid_t child = fork();
  if (child == 0) {
    BecomeSubreaper();
    setenv("WHOSE", "other", 1);  // NOLINT(concurrency-mt-unsafe): one thread
    pid_t other = fork();
    if (other == 0) execlp("sleep", "sleep", "1000", nullptr);
    setenv("WHOSE", "one", 1);  // NOLINT(concurrency-mt-unsafe): one thread
    // One process in its session without the mark, one with the mark in its own session.
    pid_t one = fork();
    if (one == 0) {
      setsid();
      execlp("sh", "sh", "-c", "env -i sleep 1000 & setsid sleep 1000 &", nullptr);
    }
    waitpid(one, nullptr, 0);
    auto is_right = [&] {
      return LeftBehind(one, "WHOSE=one").size() == 2 &&
             LeftBehind(-1, "WHOSE=other") == std::vector<pid_t>{other};
    };
    // Waits until all processes have their final state.
    TimePoint deadline = SystemClock().Now() + seconds(10);
    bool right = is_right();
    while (!right && SystemClock().Now() < deadline) right = is_right();
    KillDescendants(seconds(10));
    _exit(right ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(ProcessTest, BlockingWorkRunsElsewhereAndItsValueComesBack) {
  BlockingPool pool;
  auto run = [&]() -> Task<std::thread::id> {
    co_return co_await RunBlocking(pool, [] { return std::this_thread::get_id(); });
  };
  EXPECT_NE(loop_.RunToEnd(run()), std::this_thread::get_id());
}

TEST(Descendants, AProcessWithADebuggerAttachedIsTraced) {
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(IsTraced(child));
  EXPECT_FALSE(IsTraced(getpid()));
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  EXPECT_FALSE(IsTraced(child));
}

TEST(File, IsReplacedWholeWithItsModeAndReadUpToTheLimit) {
  std::string path = testing::TempDir() + "meridian_file_test";
  ASSERT_TRUE(WriteFileAtomically(path, "first", 0600));
  ASSERT_TRUE(WriteFileAtomically(path, "second", 0600));
  EXPECT_EQ(ReadFile(path, 6).value(), "second");
  EXPECT_EQ(ReadFile(path, 5).error().code, Errc::kTooLarge);
  EXPECT_EQ(ReadFile(path + "x", 5).error().code, Errc::kNotFound);
  unlink(path.c_str());
}

TEST(DatagramBatch, AnswersGoToTheSenderOfTheQuestion) {
  Fd server = OpenDatagramSocket({IpAddress::V4(127, 0, 0, 1), 0}, false).value();
  Endpoint at = LocalEndpoint(server.get());
  EpollDriver driver;
  Loop loop(driver);
  SystemNetwork network(driver);
  DatagramBatch batch(server.get());
  auto run = [&]() -> Task<void> {
    auto client = network.Bind({IpAddress::V4(127, 0, 0, 1), 0}).value();
    for (const char* text : {"one", "drop", "three"}) EXPECT_TRUE(client->Send(AsBytes(text), at));
    size_t count = 0;
    for (size_t seen = 0; seen < 3; seen += count) {
      count = batch.Receive();
      for (size_t i = 0; i < count; ++i) {
        if (AsText(batch.question(i)) == "drop") continue;
        batch.space(i)[0] = batch.question(i)[0];
        batch.SetAnswer(i, 1);
        EXPECT_EQ(batch.from(i), client->local());
      }
      batch.SendAnswers();
    }
    std::vector<uint8_t> space(16);
    std::string answers;
    for (int i = 0; i < 2; ++i) {
      auto got = co_await client->Receive(space, loop.After(seconds(10)));
      answers += AsText({space.data(), got.value().bytes});
    }
    EXPECT_EQ(answers, "ot");
  };
  loop.RunToEnd(run());
}

}  // namespace
}  // namespace meridian::io
