#include "lab/link_relay.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "lab/link_table.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Kind = LinkOrder::Kind;
using Wire = std::unique_ptr<io::Stream>;

constexpr uint16_t kPort = 21000;
constexpr Duration kTestTimeout = seconds(10);
// Long enough for data to arrive that is not held back.
constexpr Duration kAWhile = milliseconds(50);

// A third octet of addresses that no concurrent run of this test uses.
uint8_t OwnBlock() { return static_cast<uint8_t>(1 + getpid() % 249); }

site::Site TwoDataCenters() {
  site::Site site;
  for (uint8_t number : {uint8_t{90}, uint8_t{91}}) {
    site.datacenters.push_back({.name = "dc" + std::to_string(number),
                                .address = IpAddress::V4(127, number, OwnBlock(), 1)});
  }
  return site;
}

class LinkRelayTest : public testing::Test {
 protected:
  LinkRelayTest() { Order({.round_trip = Duration::zero()}); }

  // Runs `test` together with a relay, with a listener at the second data center.
  template <class Test>
  void Run(Test test, size_t max_connections = 100) {
    auto main = [&]() -> io::Task<void> {
      LinkRelay relay(loop_, network_, site_, table_,
                      {.ports = {kPort}, .max_connections = max_connections});
      relay_ = &relay;
      Result<void> started = relay.Start();
      EXPECT_TRUE(started) << started.error().message;
      far_ = network_.Listen({To().address, kPort}, {}).value();
      co_await test();
      co_await relay.Stop();
    };
    loop_.RunToEnd(main());
  }

  const site::DataCenter& From() const { return site_.datacenters[0]; }
  const site::DataCenter& To() const { return site_.datacenters[1]; }
  Endpoint LinkAt() const {
    return {site::AddressOf(site_, {.from = From(), .to = To(), .hosting = site::Hosting::kLab}),
            kPort};
  }

  void Order(const LinkOrder& order) {
    EXPECT_TRUE(table_.Apply(From().name, To().name, order));
    if (relay_ != nullptr) relay_->OnChange();
  }

  io::Task<Wire> Connect() {
    auto wire = co_await network_.Connect(
        LinkAt(), {.from = From().address, .deadline = loop_.After(kTestTimeout)});
    EXPECT_TRUE(wire);
    co_return std::move(*wire);
  }
  // The next connection at the far side; null if there is none.
  io::Task<Wire> Accept(Duration timeout = kTestTimeout) {
    auto wire = co_await far_->Accept(loop_.After(timeout));
    co_return wire ? std::move(*wire) : nullptr;
  }
  static io::Task<bool> Say(io::Stream& wire, std::string text) {
    Result<void> said = co_await wire.Write(AsBytes(text));
    co_return said.has_value();
  }
  // Reads that many bytes; returns "!" and the error on failure.
  io::Task<std::string> Hear(io::Stream& wire, size_t count, Duration timeout = kTestTimeout) {
    std::string heard;
    std::vector<uint8_t> space(count);
    while (heard.size() < count) {
      auto room = MutableBytes(space).first(count - heard.size());
      Result<size_t> got = co_await wire.Read(room, loop_.After(timeout));
      if (!got) co_return heard + "!" + std::string(ErrcName(got.error().code));
      if (*got == 0) co_return heard + "!end";
      heard += AsText(Bytes(space).first(*got));
    }
    co_return heard;
  }
  io::Task<void> UntilNoConnectionIsLeft() {
    TimePoint deadline = loop_.After(kTestTimeout);
    while (relay_->connections() > 0 && loop_.Now() < deadline) {
      (void)co_await io::Sleep(milliseconds(1));
    }
    EXPECT_EQ(relay_->connections(), 0u);
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  site::Site site_ = TwoDataCenters();
  LinkTable table_{site_};
  LinkRelay* relay_ = nullptr;
  std::unique_ptr<io::Listener> far_;
};

TEST_F(LinkRelayTest, WordsArriveWithTheLinksLatencyFromTheOpenersAddress) {
  Order({.round_trip = milliseconds(40)});
  Run([&]() -> io::Task<void> {
    TimePoint began = loop_.Now();
    Wire near = co_await Connect();
    EXPECT_TRUE(co_await Say(*near, "hello"));
    Wire far = co_await Accept();
    EXPECT_EQ(far->peer().address, From().address);
    EXPECT_EQ(co_await Hear(*far, 5), "hello");
    // A round trip for the handshake, and half of one for the data.
    EXPECT_GE(loop_.Now() - began, milliseconds(60));
    TimePoint answered = loop_.Now();
    EXPECT_TRUE(co_await Say(*far, "well"));
    EXPECT_EQ(co_await Hear(*near, 4), "well");
    EXPECT_GE(loop_.Now() - answered, milliseconds(20));
    EXPECT_EQ(table_.DirectionFrom("dc90", "dc91").carried_bytes(), 5u);
    EXPECT_EQ(table_.DirectionFrom("dc91", "dc90").carried_bytes(), 4u);
  });
}

TEST_F(LinkRelayTest, ARateIsKept) {
  Order({.bits_per_second = 8'000'000});
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    TimePoint began = loop_.Now();
    std::string text(TokenBucket::kBurstBytes + 100'000, 'x');
    EXPECT_TRUE(co_await Say(*near, text));
    EXPECT_EQ(co_await Hear(*far, text.size()), text);
    EXPECT_GE(loop_.Now() - began, milliseconds(99));
  });
}

TEST_F(LinkRelayTest, AHalfCloseIsPassedOnBehindWhatWasSaid) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    EXPECT_TRUE(co_await Say(*near, "question"));
    near->ShutdownWrite();
    Wire far = co_await Accept();
    EXPECT_EQ(co_await Hear(*far, 100), "question!end");
    EXPECT_TRUE(co_await Say(*far, "answer"));
    far->ShutdownWrite();
    EXPECT_EQ(co_await Hear(*near, 100), "answer!end");
    co_await UntilNoConnectionIsLeft();
  });
}

TEST_F(LinkRelayTest, AResetIsAResetAtTheOtherEnd) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    EXPECT_TRUE(co_await Say(*far, "half a"));
    far->Abort();
    EXPECT_THAT(co_await Hear(*near, 100), HasSubstr("!reset"));
    co_await UntilNoConnectionIsLeft();
  });
}

TEST_F(LinkRelayTest, AResetOfAnEndThatHadFinishedIsPassedOnToo) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    near->ShutdownWrite();
    EXPECT_EQ(co_await Hear(*far, 1), "!end");
    near->Abort();
    // The far end detects it when it sends more.
    std::string text(100'000, 'x');
    TimePoint deadline = loop_.After(kTestTimeout);
    while (co_await Say(*far, text) && loop_.Now() < deadline) {
    }
    co_await UntilNoConnectionIsLeft();
  });
}

TEST_F(LinkRelayTest, WhereNobodyListensTheConnectionIsBroken) {
  Run([&]() -> io::Task<void> {
    far_.reset();
    Wire near = co_await Connect();
    EXPECT_EQ(co_await Hear(*near, 1), "!reset");
    co_await UntilNoConnectionIsLeft();
  });
}

TEST_F(LinkRelayTest, ACutHoldsWordsAndEndsAndAHealLetsThemGoOnInOrder) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    EXPECT_TRUE(co_await Say(*near, "one"));
    EXPECT_EQ(co_await Hear(*far, 3), "one");
    Order({.kind = Kind::kCut});
    EXPECT_TRUE(co_await Say(*near, "two"));
    EXPECT_TRUE(co_await Say(*near, "three"));
    near->ShutdownWrite();
    EXPECT_TRUE(co_await Say(*far, "back"));
    EXPECT_EQ(co_await Hear(*far, 100, kAWhile), "!timed out");
    EXPECT_EQ(co_await Hear(*near, 100, kAWhile), "!timed out");
    Order({.kind = Kind::kHeal});
    EXPECT_EQ(co_await Hear(*far, 100), "twothree!end");
    EXPECT_EQ(co_await Hear(*near, 4), "back");
  });
}

TEST_F(LinkRelayTest, NoResetPassesACut) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    Order({.kind = Kind::kCut});
    far->Abort();
    EXPECT_EQ(co_await Hear(*near, 1, kAWhile), "!timed out");
    Order({.kind = Kind::kHeal});
    EXPECT_EQ(co_await Hear(*near, 1), "!reset");
  });
}

TEST_F(LinkRelayTest, OfAHalfCutLinkOneEndIsHeard) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    Order({.kind = Kind::kHalfCut});
    EXPECT_TRUE(co_await Say(*near, "lost"));
    EXPECT_TRUE(co_await Say(*far, "heard"));
    EXPECT_EQ(co_await Hear(*near, 5), "heard");
    EXPECT_EQ(co_await Hear(*far, 4, kAWhile), "!timed out");
  });
}

TEST_F(LinkRelayTest, ANewConnectionHangsAtACutAndIsMadeWhenItHeals) {
  Order({.kind = Kind::kCut});
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    EXPECT_TRUE(co_await Say(*near, "hello"));
    EXPECT_EQ(co_await Accept(kAWhile), nullptr);
    EXPECT_EQ(co_await Hear(*near, 1, kAWhile), "!timed out");
    Order({.kind = Kind::kHeal});
    Wire far = co_await Accept();
    EXPECT_EQ(co_await Hear(*far, 5), "hello");
  });
}

TEST_F(LinkRelayTest, WhoGivesUpAtACutIsForgottenAndNeverSeenOnTheOtherSide) {
  Order({.kind = Kind::kCut});
  Run([&]() -> io::Task<void> {
    for (int i = 0; i < 3; ++i) {
      Wire near = co_await Connect();
      EXPECT_TRUE(co_await Say(*near, "hello"));
      near->Close();
    }
    // A connection that has not started is not counted yet.
    (void)co_await io::Sleep(milliseconds(1));
    co_await UntilNoConnectionIsLeft();
    Order({.kind = Kind::kHeal});
    EXPECT_EQ(co_await Accept(kAWhile), nullptr);
  });
}

TEST_F(LinkRelayTest, ASenderWaitsForAReaderThatDoesNotRead) {
  Run([&]() -> io::Task<void> {
    Wire near = co_await Connect();
    Wire far = co_await Accept();
    std::string text(size_t{64} << 20, 'x');
    Result<void> said = co_await near->Write(AsBytes(text), loop_.After(milliseconds(500)));
    EXPECT_EQ(said.error().code, Errc::kTimeout);
    EXPECT_LT(table_.DirectionFrom("dc90", "dc91").carried_bytes(), size_t{32} << 20);
  });
}

TEST_F(LinkRelayTest, PastTheLimitANewConnectionIsBrokenOff) {
  Run(
      [&]() -> io::Task<void> {
        Wire first = co_await Connect();
        Wire second = co_await Connect();
        Wire third = co_await Connect();
        EXPECT_EQ(co_await Hear(*third, 1), "!reset");
        EXPECT_EQ(co_await Hear(*second, 1, kAWhile), "!timed out");
        EXPECT_EQ(relay_->connections(), 2u);
      },
      2);
}

TEST_F(LinkRelayTest, AnAddressInUseIsNamedWithWhatToDo) {
  auto taken = network_.Listen(LinkAt(), {}).value();
  LinkRelay relay(loop_, network_, site_, table_, {.ports = {kPort}});
  Result<void> started = relay.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::kExists);
  EXPECT_THAT(started.error().message, HasSubstr(LinkAt().ToString()));
  EXPECT_THAT(started.error().message, HasSubstr("wan"));
  loop_.RunToEnd(relay.Stop());
}

}  // namespace
}  // namespace meridian::lab
