#include "visit/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "visit/examples.hpp"
#include "visit/limits.hpp"

namespace meridian::visit {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using wire::dns::Name;
using wire::dns::Question;
using wire::dns::Rcode;
using wire::dns::Record;
using wire::dns::RecordType;
using wire::dns::Response;

const Name kPhotos = Name::Parse("photos.example").value();
const Question kAddressQuestion{.name = kPhotos, .type = RecordType::kA};
constexpr TimePoint kStart{std::chrono::hours{1}};

Record AddressRecord(uint8_t last, uint32_t ttl = 5) {
  return {.owner = kPhotos,
          .type = RecordType::kA,
          .ttl_seconds = ttl,
          .data = IpAddress::V4(127, 0, 0, last)};
}

Record Soa(uint32_t ttl, uint32_t minimum) {
  return {.owner = kPhotos,
          .type = RecordType::kSoa,
          .ttl_seconds = ttl,
          .data = wire::dns::SoaData{.minimum_seconds = minimum}};
}

DnsAnswer Read(const Response& response) { return ReadAnswer(response, kAddressQuestion).value(); }

TEST(ReadAnswer, AddressesAndTheLeastTtlAndTheScope) {
  Response response{.answers = {AddressRecord(1, 7), AddressRecord(2, 5)}};
  response.edns = wire::dns::Edns{.subnet = wire::dns::ClientSubnet{.scope_length = 24}};
  DnsAnswer answer = Read(response);
  EXPECT_EQ(answer.kind, DnsAnswer::Kind::kFound);
  EXPECT_THAT(answer.addresses,
              ElementsAre(IpAddress::V4(127, 0, 0, 1), IpAddress::V4(127, 0, 0, 2)));
  EXPECT_EQ(answer.ttl_seconds, 5u);
  EXPECT_EQ(answer.subnet_scope, 24);
}

TEST(ReadAnswer, RecordsOfOtherNamesAndTypesAreNotTaken) {
  Record other = AddressRecord(1);
  other.owner = *Name::Parse("other.example");
  Record aaaa = AddressRecord(2);
  aaaa.type = RecordType::kAaaa;
  EXPECT_EQ(Read({.answers = {other, aaaa}}).kind, DnsAnswer::Kind::kNoData);
}

TEST(ReadAnswer, HttpsRecordsComeByPriority) {
  Response response;
  for (uint16_t priority : std::vector<uint16_t>{3, 1, 2}) {
    response.answers.push_back({.owner = kPhotos,
                                .type = RecordType::kHttps,
                                .data = wire::dns::ServiceBinding{.priority = priority}});
  }
  DnsAnswer answer = ReadAnswer(response, {.name = kPhotos, .type = RecordType::kHttps}).value();
  ASSERT_EQ(answer.services.size(), 3u);
  for (uint16_t i = 0; i < 3; ++i) EXPECT_EQ(answer.services[i].priority, i + 1);
}

TEST(ReadAnswer, NoneIsKeptAsLongAsTheSoaSays) {
  EXPECT_EQ(Read({.authorities = {Soa(30, 5)}}).ttl_seconds, 5u);
  DnsAnswer no_name = Read({.rcode = Rcode::kNxDomain, .authorities = {Soa(4, 5)}});
  EXPECT_EQ(no_name.kind, DnsAnswer::Kind::kNoName);
  EXPECT_EQ(no_name.ttl_seconds, 4u);
  EXPECT_EQ(Read({}).ttl_seconds, 0u);
}

TEST(ReadAnswer, ATtlOverTheHighestBitIsZero) {
  EXPECT_EQ(Read({.answers = {AddressRecord(1, 0x7fffffff)}}).ttl_seconds, 0x7fffffffu);
  EXPECT_EQ(Read({.answers = {AddressRecord(1, 0x80000000)}}).ttl_seconds, 0u);
}

TEST(ReadAnswer, AServerThatCannotAnswerIsAnError) {
  for (Rcode rcode : {Rcode::kServFail, Rcode::kRefused, Rcode::kFormErr, Rcode::kNotImp,
                      Rcode::kBadVers, Rcode{11}}) {
    EXPECT_EQ(ReadAnswer({.rcode = rcode}, kAddressQuestion).error().code, Errc::kUnavailable);
  }
}

TEST(ReadAnswer, AnAliasIsAnError) {
  Record alias{.owner = kPhotos, .type = RecordType::kCname, .data = wire::dns::NameData{kPhotos}};
  EXPECT_EQ(ReadAnswer({.answers = {alias}}, kAddressQuestion).error().code, Errc::kInvalid);
}

Resolver WithServers(uint8_t count) {
  std::vector<DnsServer> servers;
  servers.reserve(count);
  for (uint8_t i = 0; i < count; ++i) {
    servers.push_back({fmt::format("dc-{}", i), {IpAddress::V4(127, i, 0, 1), 5300}});
  }
  return Resolver(std::move(servers));
}

DnsAnswer KeptFor(uint32_t ttl_seconds) {
  return {.addresses = {IpAddress::V4(127, 0, 0, 1)}, .ttl_seconds = ttl_seconds};
}

TEST(Resolver, AnAnswerIsKnownForItsTtl) {
  Resolver resolver = WithServers(1);
  EXPECT_EQ(resolver.Find(kAddressQuestion, kStart), nullptr);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(5), kStart);
  EXPECT_NE(resolver.Find(kAddressQuestion, kStart + seconds{5} - Duration{1}), nullptr);
  EXPECT_EQ(resolver.Find(kAddressQuestion, kStart + seconds{5}), nullptr);
}

TEST(Resolver, AnAnswerWithoutTtlIsNotKept) {
  Resolver resolver = WithServers(1);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(0), kStart);
  EXPECT_EQ(resolver.Find(kAddressQuestion, kStart), nullptr);
}

TEST(Resolver, AnAnswerIsKnownForAWeekAtMost) {
  Resolver resolver = WithServers(1);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(INT32_MAX), kStart);
  EXPECT_NE(resolver.Find(kAddressQuestion, kStart + kMaxKeepAnswer - Duration{1}), nullptr);
  EXPECT_EQ(resolver.Find(kAddressQuestion, kStart + kMaxKeepAnswer), nullptr);
}

TEST(Resolver, AnswersToOtherQuestionsAreOtherAnswers) {
  Resolver resolver = WithServers(1);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(5), kStart);
  EXPECT_EQ(resolver.Find({.name = kPhotos, .type = RecordType::kAaaa}, kStart), nullptr);
}

TEST(Resolver, ANewAnswerReplacesTheOld) {
  Resolver resolver = WithServers(1);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(5), kStart);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(9), kStart + seconds{5});
  EXPECT_EQ(resolver.Find(kAddressQuestion, kStart + seconds{6})->ttl_seconds, 9u);
}

TEST(Resolver, AsksEveryServerTwiceInTheirOrder) {
  EXPECT_THAT(WithServers(1).ServersToAsk(kStart), ElementsAre(0, 0));
  EXPECT_THAT(WithServers(2).ServersToAsk(kStart), ElementsAre(0, 1, 0, 1));
}

TEST(Resolver, AsksNoMoreThanSoOften) {
  EXPECT_EQ(WithServers(3).ServersToAsk(kStart).size(), kMaxDnsTries);
  EXPECT_THAT(WithServers(4).ServersToAsk(kStart), ElementsAre(0, 1, 2, 3, 0, 1));
  EXPECT_EQ(WithServers(64).ServersToAsk(kStart).size(), kMaxDnsTries);
}

TEST(Resolver, ASilentServerIsAskedLastForAWhile) {
  Resolver resolver = WithServers(3);
  resolver.OnSilence(0, kStart);
  TimePoint over = kStart + kSilentServerPause;
  EXPECT_THAT(resolver.ServersToAsk(over - Duration{1}), ElementsAre(1, 2, 0, 1, 2, 0));
  EXPECT_THAT(resolver.ServersToAsk(over), ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(Resolver, OfSilentServersTheOneThatHasBeenSoLongestComesFirst) {
  Resolver resolver = WithServers(3);
  resolver.OnSilence(2, kStart);
  resolver.OnSilence(0, kStart + seconds{1});
  EXPECT_THAT(resolver.ServersToAsk(kStart + seconds{2}), ElementsAre(1, 2, 0, 1, 2, 0));
}

TEST(Resolver, AServerThatAnswersAgainIsAskedInItsOrder) {
  Resolver resolver = WithServers(2);
  resolver.OnSilence(0, kStart);
  resolver.OnAnswer(0, kAddressQuestion, KeptFor(5), kStart + seconds{1});
  EXPECT_THAT(resolver.ServersToAsk(kStart + seconds{1}), ElementsAre(0, 1, 0, 1));
}

}  // namespace
}  // namespace meridian::visit
