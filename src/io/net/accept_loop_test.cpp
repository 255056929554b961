#include "io/net/accept_loop.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

// Returns the results that a test queued, in order, then closes.
class ScriptedListener final : public Listener {
 public:
  explicit ScriptedListener(SystemNetwork& network) : network_(network) {}

  void PutError(int number) { script_.push_back(number); }
  void PutConnection() { script_.push_back(0); }

  std::optional<Accepted> TryAccept() override {
    if (script_.empty()) return Fail(Errc::kClosed, "accept: closed");
    int number = script_.front();
    script_.pop_front();
    if (number != 0) return FailErrno(number, "accept");
    std::array<int, 2> pair{};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    others_.emplace_back(pair[1]);
    return network_.Adopt(Fd(pair[0]));
  }
  Endpoint local() const override { return {}; }
  void Close() override {}

 private:
  SystemNetwork& network_;
  std::deque<int> script_;
  std::vector<Fd> others_;
};

class AcceptLoopTest : public testing::TestWithParam<int> {
 protected:
  EpollDriver driver_;
  Loop loop_{driver_};
  SystemNetwork network_{driver_};
  ScriptedListener listener_{network_};
  int admitted_ = 0;
  AcceptLoop::Options options_{.name = "test",
                               .admit = [this](std::unique_ptr<Stream>) { ++admitted_; }};
};

TEST_P(AcceptLoopTest, GoesOnAfterTheError) {
  listener_.PutConnection();
  listener_.PutError(GetParam());
  listener_.PutError(GetParam());
  listener_.PutConnection();
  AcceptLoop accept(listener_, options_);
  loop_.RunToEnd(accept.Run());
  EXPECT_EQ(admitted_, 2);
}

// All errors that Linux documents for accept(2), except those of wrong calls.
INSTANTIATE_TEST_SUITE_P(EachErrno, AcceptLoopTest,
                         testing::Values(EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO,
                                         ECONNABORTED, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
                                         EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ENOSR, ETIMEDOUT),
                         [](const auto& info) { return std::string(strerrorname_np(info.param)); });

TEST_F(AcceptLoopTest, IdleConnectionsMakeRoomAtOnceWhenNoDescriptorIsLeft) {
  for (int i = 0; i < 40; ++i) listener_.PutError(EMFILE);
  listener_.PutConnection();
  int made = 0;
  options_.make_room = [&] { return ++made > 0; };
  AcceptLoop accept(listener_, options_);
  TimePoint began = driver_.Now();
  loop_.RunToEnd(accept.Run());
  EXPECT_EQ(made, 40);
  EXPECT_EQ(admitted_, 1);
  // A pause of 50 ms for each would take 2 s.
  EXPECT_LT(driver_.Now() - began, std::chrono::seconds(1));
}

TEST_F(AcceptLoopTest, AShortageThatComesAndGoesIsLoggedOnceAndNotForEachConnection) {
  ScratchDir folder;
  ConfigureLog({.file = {.path = folder / "log"}});
  for (int i = 0; i < 100; ++i) {
    listener_.PutError(EMFILE);
    listener_.PutConnection();
  }
  options_.make_room = [] { return true; };
  AcceptLoop accept(listener_, options_);
  loop_.RunToEnd(accept.Run());
  ConfigureLog({});
  EXPECT_EQ(admitted_, 100);
  std::ifstream log(folder / "log");
  std::string line;
  int lines = 0;
  while (std::getline(log, line)) ++lines;
  EXPECT_EQ(lines, 1);
}

TEST_F(AcceptLoopTest, NoConnectionIsClosedForWantOfMemory) {
  listener_.PutError(ENOBUFS);
  int made = 0;
  options_.make_room = [&] { return ++made > 0; };
  AcceptLoop accept(listener_, options_);
  loop_.RunToEnd(accept.Run());
  EXPECT_EQ(made, 0);
}

TEST_F(AcceptLoopTest, EndsWhenItIsCancelledWhileItPauses) {
  for (int i = 0; i < 1000; ++i) listener_.PutError(ENOMEM);
  AcceptLoop accept(listener_, options_);
  auto run = [&]() -> Task<void> {
    Scope scope(loop_);
    scope.Spawn(accept.Run());
    CHECK(co_await Sleep(std::chrono::milliseconds(5)));
    scope.Cancel();
    co_await scope.Join();
  };
  TimePoint began = driver_.Now();
  loop_.RunToEnd(run());
  EXPECT_LT(driver_.Now() - began, std::chrono::seconds(10));
}

}  // namespace
}  // namespace meridian::io
