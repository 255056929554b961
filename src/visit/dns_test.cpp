#include "visit/dns.hpp"

#include <gtest/gtest.h>

#include "visit/world.hpp"

namespace meridian::visit {
namespace {

using std::chrono::milliseconds;
using wire::dns::Question;
using wire::dns::RecordType;

const Question kPhotosA{.name = wire::dns::Name::Parse("photos.example").value(),
                        .type = RecordType::kA};
constexpr VisitLimits kShortTimeouts{.dns_try_timeout = milliseconds{300}};

// Bytes of the header: the id, and the flags with the truncation bit (RFC 1035 section 4.1.1).
constexpr size_t kIdByte = 1;
constexpr size_t kFlagsByte = 2;
constexpr uint8_t kTruncated = 0x02;

class DnsClientTest : public testing::Test {
 protected:
  struct Looked {
    Result<DnsAnswer> answer;
    std::vector<DnsTry> tries;
  };

  // Looks up the question `times` times, one after the other.
  std::vector<Looked> LookUp(int times = 1, VisitLimits limits = {}) {
    std::vector<Looked> looked(static_cast<size_t>(times));
    world_.Run([&]() -> io::Task<void> {
      DnsClient dns(world_.loop, world_.network, world_.DnsOptions({.limits = limits}));
      for (Looked& one : looked) one.answer = co_await dns.LookUp(kPhotosA, &one.tries);
    });
    return looked;
  }

  std::vector<uint8_t> Answer(Bytes query, uint32_t ttl_seconds = 30) const {
    return world_.Respond(query, dns::Transport::kUdp, ttl_seconds);
  }
  void ExpectEast(const Looked& looked) const {
    ASSERT_TRUE(looked.answer);
    EXPECT_EQ(looked.answer->addresses, std::vector<IpAddress>{world_.site.datacenters[0].address});
  }

  VisitWorld world_;
};

TEST_F(DnsClientTest, ASilentServerIsFollowedByTheNextAndThenAskedLast) {
  world_.east.dns = ServerBehavior::kSilent;
  world_.west.answer_udp = [this](Bytes query) { return Messages{Answer(query, 0)}; };
  std::vector<Looked> looked = LookUp(2, kShortTimeouts);
  ASSERT_EQ(looked[0].tries.size(), 2u);
  EXPECT_EQ(looked[0].tries[0].answer.error().code, Errc::kTimeout);
  EXPECT_GE(looked[0].tries[0].took, kShortTimeouts.dns_try_timeout);
  EXPECT_EQ(looked[0].tries[1].server.data_center, "us-west");
  ExpectEast(looked[0]);
  ASSERT_EQ(looked[1].tries.size(), 1u);
  EXPECT_EQ(looked[1].tries[0].server.data_center, "us-west");
}

TEST_F(DnsClientTest, AServerThatRefusesIsFollowedByTheNext) {
  world_.east.answer_udp = [this](Bytes query) {
    std::vector<uint8_t> answer = Answer(query);
    answer[3] |= 5;  // REFUSED
    return Messages{answer};
  };
  Looked looked = LookUp().front();
  ASSERT_EQ(looked.tries.size(), 2u);
  EXPECT_EQ(looked.tries[0].answer.error().message, "REFUSED");
  ExpectEast(looked);
}

TEST_F(DnsClientTest, AnswersToOtherQuestionsAndGarbageAreNotBelieved) {
  world_.east.answer_udp = [this](Bytes query) {
    std::vector<uint8_t> other_id = Answer(query);
    other_id[kIdByte] ^= 1;
    std::vector<uint8_t> garbage{1, 2, 3};
    std::vector<uint8_t> echo(query.begin(), query.end());
    return Messages{other_id, garbage, echo, Answer(query)};
  };
  Looked looked = LookUp().front();
  EXPECT_EQ(looked.tries.size(), 1u);
  ExpectEast(looked);
}

TEST_F(DnsClientTest, AnAnswerFromAnotherAddressIsNotBelieved) {
  // The forger knows the whole query, but cannot send from the server's address.
  world_.east.dns = ServerBehavior::kAbsent;
  world_.Run([&]() -> io::Task<void> {
    Endpoint server{world_.site.datacenters[0].address, world_.site.ports.dns};
    auto silent = world_.network.Bind(server).value();
    auto forger = world_.network.Bind({server.address, 0}).value();
    auto forge = [&]() -> io::Task<void> {
      std::vector<uint8_t> space(wire::dns::kMinUdpResponseBytes);
      auto got = co_await silent->Receive(space);
      EXPECT_TRUE(got && forger->Send(Answer(std::span(space).first(got->bytes)), got->from));
    };
    io::Scope forging(world_.loop);
    forging.Spawn(forge());
    DnsClient dns(world_.loop, world_.network, world_.DnsOptions({.limits = kShortTimeouts}));
    std::vector<DnsTry> tries;
    EXPECT_TRUE(co_await dns.LookUp(kPhotosA, &tries));
    EXPECT_EQ(tries.size(), 2u);
    EXPECT_EQ(tries.front().answer.error().code, Errc::kTimeout);
    co_await forging.Join();
  });
}

TEST_F(DnsClientTest, WhatDoesNotFitADatagramIsAskedForOverTcp) {
  world_.east.answer_udp = [this](Bytes query) {
    std::vector<uint8_t> cut = Answer(query);
    cut[kFlagsByte] = static_cast<uint8_t>(cut[kFlagsByte] | kTruncated);
    return Messages{cut};
  };
  Looked looked = LookUp().front();
  ASSERT_EQ(looked.tries.size(), 1u);
  EXPECT_TRUE(looked.tries[0].tcp);
  ExpectEast(looked);
}

TEST_F(DnsClientTest, AWrongAnswerOverTcpIsFollowedByTheNextServer) {
  world_.east.answer_udp = [this](Bytes query) {
    std::vector<uint8_t> cut = Answer(query);
    cut[kFlagsByte] = static_cast<uint8_t>(cut[kFlagsByte] | kTruncated);
    return Messages{cut};
  };
  for (bool garbage : {true, false}) {
    world_.east.answer_tcp = [this, garbage](Bytes query) {
      if (garbage) return std::vector<uint8_t>{1, 2, 3};
      std::vector<uint8_t> answer = world_.Respond(query, dns::Transport::kTcp);
      answer[kIdByte] ^= 1;
      return answer;
    };
    Looked looked = LookUp().front();
    ASSERT_EQ(looked.tries.size(), 2u);
    EXPECT_EQ(looked.tries[0].answer.error().code, Errc::kInvalid);
    ExpectEast(looked);
  }
}

TEST_F(DnsClientTest, WhoAsksMeanwhileGetsTheSameAnswer) {
  world_.east.answer_udp = [this](Bytes query) { return Messages{Answer(query, 0)}; };
  world_.Run([&]() -> io::Task<void> {
    DnsClient dns(world_.loop, world_.network, world_.DnsOptions({}));
    std::vector<Looked> looked(3);
    auto look = [&](Looked& one) -> io::Task<void> {
      one.answer = co_await dns.LookUp(kPhotosA, &one.tries);
    };
    io::Scope scope(world_.loop);
    for (Looked& one : looked) scope.Spawn(look(one));
    co_await scope.Join();
    for (const Looked& one : looked) ExpectEast(one);
    EXPECT_EQ(world_.east.questions, 1);
    EXPECT_EQ(dns.questions(), 1u);
  });
}

TEST_F(DnsClientTest, FailuresAreNotKept) {
  world_.east.dns = world_.west.dns = ServerBehavior::kAbsent;
  std::vector<Looked> looked = LookUp(2, {.dns_try_timeout = milliseconds{1}});
  for (const Looked& one : looked) {
    EXPECT_EQ(one.answer.error().code, Errc::kTimeout);
    EXPECT_EQ(one.tries.size(), 4u);
  }
}

TEST_F(DnsClientTest, ACancelledLookUpEnds) {
  world_.east.dns = world_.west.dns = ServerBehavior::kSilent;
  world_.Run([&]() -> io::Task<void> {
    DnsClient dns(world_.loop, world_.network, world_.DnsOptions({}));
    Looked looked;
    auto look = [&]() -> io::Task<void> {
      looked.answer = co_await dns.LookUp(kPhotosA, &looked.tries);
    };
    io::Scope scope(world_.loop);
    scope.Spawn(look());
    scope.Spawn(look());
    scope.Cancel();
    co_await scope.Join();
    EXPECT_EQ(looked.answer.error().code, Errc::kCancelled);
  });
}

}  // namespace
}  // namespace meridian::visit
