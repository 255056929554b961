// Etcd and TermKeeper with a real etcd of one member, where one is installed.
#include "site/coordinator/etcd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/coordinator/key_store.hpp"
#include "site/coordinator/limits.hpp"
#include "site/coordinator/term_keeper.hpp"

namespace meridian::site {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EtcdTest : public testing::Test {
 protected:
  // A port that was free a moment ago.
  uint16_t FreePort() {
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {});
    EXPECT_TRUE(listener);
    return (*listener)->local().port;
  }
  std::string Url(uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

  void SetUp() override {
    port_ = FreePort();
    const std::string client = Url(port_);
    const std::string peer = Url(FreePort());
    auto process = io::Process::Start(
        driver_, {.command = {"etcd", "--name", "one", "--data-dir", (folder_ / "data").string(),
                              "--listen-client-urls", client, "--advertise-client-urls", client,
                              "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                              "--initial-cluster", "one=" + peer, "--log-level", "error"}});
    if (!process) GTEST_SKIP() << process.error().message;
    process_ = std::move(*process);
    store_ = NewStore();
    Run([](KeyStore& store, io::Loop& loop) -> io::Task<void> {
      const TimePoint end = loop.After(seconds{30});
      for (;;) {
        auto read = co_await store.Read("ready", loop.After(seconds{5}));
        if (read) co_return;
        EXPECT_LT(loop.Now(), end) << read.error().message;
        if (loop.Now() >= end || !co_await io::Sleep(milliseconds{20})) co_return;
      }
    });
  }
  void TearDown() override { store_.reset(); }

  std::unique_ptr<Etcd> NewStore() {
    std::vector<http::Upstream> members;
    // Nobody answers at the first one.
    members.push_back({.address = {IpAddress::V4(127, 0, 0, 1), 9}});
    members.push_back({.address = {IpAddress::V4(127, 0, 0, 1), port_}});
    return std::make_unique<Etcd>(loop_, network_, std::move(members));
  }
  void Run(std::function<io::Task<void>(KeyStore&, io::Loop&)> use) {
    loop_.RunToEnd(use(*store_, loop_));
  }

  ScratchDir folder_;
  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  uint16_t port_ = 0;
  std::unique_ptr<io::Process> process_;
  std::unique_ptr<Etcd> store_;
};

TEST_F(EtcdTest, AKeyIsWrittenIfItIsAtItsRevisionAndElseReadAsItIs) {
  Run([](KeyStore& store, io::Loop& loop) -> io::Task<void> {
    const TimePoint end = loop.After(seconds{10});
    auto none = co_await store.Read("a", end);
    EXPECT_TRUE(none && none->revision == 0 && none->newest_revision > 0);
    auto made = co_await store.Write("a", std::string("1\0\xff", 3), 0, end);
    EXPECT_TRUE(made) << made.error().message;
    if (!made) co_return;
    EXPECT_TRUE(made->done);
    auto again = co_await store.Write("a", "2", 0, end);
    EXPECT_TRUE(again && !again->done && again->now == made->now);
    auto changed = co_await store.Write("a", "2", made->now.revision, end);
    EXPECT_TRUE(changed && changed->done && changed->now.revision > made->now.revision);
    auto read = co_await store.Read("a", end);
    EXPECT_TRUE(read && *read == changed->now && read->value == "2");
  });
}

TEST_F(EtcdTest, WhereNoMemberAnswersEachRequestEndsInTime) {
  process_->Signal(SIGSTOP);
  siginfo_t stopped = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(process_->pid()), &stopped, WSTOPPED), 0);
  Run([](KeyStore& store, io::Loop& loop) -> io::Task<void> {
    for (int i = 0; i < 3; ++i) {
      const TimePoint begun = loop.Now();
      auto read = co_await store.Read("a", loop.After(seconds{30}));
      EXPECT_FALSE(read);
      EXPECT_LT(loop.Now() - begun, kEtcdTimeout + seconds{1});
    }
  });
  process_->Signal(SIGCONT);
}

TEST_F(EtcdTest, ATermGoesFromItsHolderToTheNext) {
  auto run = [this]() -> io::Task<void> {
    auto other_store = NewStore();
    TermKeeper east(loop_, *store_, {.key = "term", .holder = "us-east", .life = 1});
    TermKeeper west(loop_, *other_store, {.key = "term", .holder = "us-west", .life = 2});
    east.SetWanted(true);
    io::Scope scope(loop_);
    scope.Spawn(east.Run());
    EXPECT_TRUE(co_await east.AwaitChange(loop_.After(seconds{20})));
    EXPECT_TRUE(east.Holds());
    west.SetWanted(true);
    scope.Spawn(west.Run());
    east.SetWanted(false);
    EXPECT_TRUE(co_await west.AwaitChange(loop_.After(seconds{20})));
    EXPECT_TRUE(west.Holds());
    EXPECT_FALSE(east.Holds());
    EXPECT_GT(west.term().epoch(), east.term().epoch());
    scope.Cancel();
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
}

}  // namespace
}  // namespace meridian::site
