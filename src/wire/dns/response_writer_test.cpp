#include "wire/dns/response_writer.hpp"

#include <gtest/gtest.h>

#include "wire/dns/case_file.hpp"
#include "wire/dns/response.hpp"

namespace meridian::wire::dns {
namespace {

Name N(std::string_view text) { return *Name::Parse(text); }

Query QueryFor(std::string_view name, std::optional<Edns> edns = std::nullopt) {
  return {.id = 0x1234, .question = Question{N(name)}, .edns = edns};
}

// A writer with a buffer of its own.
struct Written {
  explicit Written(const Query& query, size_t limit = kMinUdpResponseBytes)
      : bytes(limit), writer(query, bytes) {}

  Response Finish() {
    bytes.resize(writer.Finish());
    Result<Response> response = DecodeResponse(bytes);
    EXPECT_TRUE(response) << response.error().message;
    return response.value_or(Response());
  }

  std::vector<uint8_t> bytes;
  ResponseWriter writer;
};

TEST(ResponseWriter, EchoesIdAndQuestionAsSpelled) {
  Query query = QueryFor("PhoTos.Example");
  query.recursion_desired = true;
  Written written(query);
  Response response = written.Finish();
  EXPECT_TRUE(Answers(response, query));
  EXPECT_TRUE(response.header.recursion_desired);
  EXPECT_FALSE(response.header.authoritative);
  EXPECT_FALSE(response.edns);
}

TEST(ResponseWriter, WritesEveryTypeOfRecord) {
  Query query = QueryFor("photos.example");
  Written written(query);
  const Name& apex = query.question->name;
  SoaData soa{N("a.photos.example"), N("hostmaster.photos.example"), 1, 2, 3, 4, 5};
  ServiceBinding binding{.target = N("us-east.photos.example"),
                         .alpn = {"h2", "http/1.1"},
                         .port = 8443,
                         .ipv4_hints = {IpAddress::V4(127, 1, 0, 1)},
                         .ipv6_hints = {*IpAddress::Parse("::1")}};
  std::array<std::string_view, 2> strings = {"RFC8482", ""};
  RecordHead answer{Section::kAnswer, apex, 30};
  written.writer.SetAuthoritative();
  written.writer.Address(answer, IpAddress::V4(127, 1, 0, 1));
  written.writer.Address(answer, *IpAddress::Parse("2001:db8::1"));
  written.writer.NameServer(answer, N("us-east.photos.example"));
  written.writer.CanonicalName(answer, N("www.example"));
  written.writer.StartOfAuthority(answer, soa);
  written.writer.Https(answer, 7, binding);
  written.writer.Text(answer, RecordType::kHinfo, strings);
  written.writer.Text(answer, RecordType::kTxt, strings);
  Response response = written.Finish();

  EXPECT_TRUE(response.header.authoritative);
  ASSERT_EQ(response.answers.size(), 8U);
  for (const Record& record : response.answers) {
    EXPECT_EQ(record.owner, apex);
    EXPECT_EQ(record.ttl_seconds, 30U);
  }
  binding.priority = 7;
  EXPECT_EQ(response.answers[0].data, RecordData(IpAddress::V4(127, 1, 0, 1)));
  EXPECT_EQ(response.answers[1].type, RecordType::kAaaa);
  EXPECT_EQ(response.answers[2].data, RecordData(NameData{N("us-east.photos.example")}));
  EXPECT_EQ(response.answers[3].data, RecordData(NameData{N("www.example")}));
  EXPECT_EQ(response.answers[4].data, RecordData(soa));
  EXPECT_EQ(response.answers[5].data, RecordData(binding));
  EXPECT_EQ(response.answers[6].data, RecordData(TextData{{"RFC8482", ""}}));
  EXPECT_EQ(response.answers[7].type, RecordType::kTxt);
}

TEST(ResponseWriter, CompressesNamesAgainstAllThatWentBefore) {
  Query query = QueryFor("photos.example");
  Written written(query);
  written.writer.NameServer({Section::kAuthority, query.question->name, 30},
                            N("us-east.PHOTOS.example"));
  written.writer.Address({Section::kAdditional, N("us-east.photos.example"), 30},
                         IpAddress::V4(127, 1, 0, 1));
  written.Finish();
  EXPECT_EQ(written.bytes,
            BytesOf("1234 8000 0001 0000 0001 0001 06 'photos' 07 'example' 00 0001 0001"
                    " c00c 0002 0001 0000001e 000a 07 'us-east' c00c"
                    " c02c 0001 0001 0000001e 0004 7f010001"));
}

TEST(ResponseWriter, NamesPastTheTableOfTargetsAreStillRight) {
  Query query = QueryFor("example");
  Written written(query, kMaxUdpResponseBytes);
  std::vector<Name> names;
  for (size_t i = 0; i < kMaxCompressionTargets + 8; ++i) {
    names.push_back(N(fmt::format("n{}.example", i)));
    written.writer.NameServer({Section::kAnswer, query.question->name, 1}, names.back());
  }
  Response response = written.Finish();
  ASSERT_EQ(response.answers.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(response.answers[i].data, RecordData(NameData{names[i]}));
  }
}

TEST(ResponseWriter, AnswerThatDoesNotFitSetsTruncatedAndKeepsTheOpt) {
  Query query = QueryFor("photos.example", Edns{.udp_size = 512});
  Written written(query);
  for (int i = 0; i < 100; ++i) {
    written.writer.Address({Section::kAnswer, query.question->name, 30},
                           IpAddress::V4(127, 0, 0, static_cast<uint8_t>(i)));
  }
  EXPECT_TRUE(written.writer.truncated());
  Response response = written.Finish();
  EXPECT_TRUE(response.header.truncated);
  EXPECT_TRUE(response.edns);
  // 512 bytes less header 12, question 20 and OPT 11 hold 29 records of 16 bytes, and 5 bytes more.
  EXPECT_EQ(response.answers.size(), 29U);
}

TEST(ResponseWriter, NothingFollowsARecordThatDidNotFit) {
  Query query = QueryFor("photos.example");
  Written written(query);
  std::vector<uint8_t> large(480);
  written.writer.Opaque({Section::kAnswer, query.question->name, 30}, RecordType::kTxt,
                        RecordClass::kIn, large);
  written.writer.Address({Section::kAdditional, query.question->name, 30}, IpAddress());
  Response response = written.Finish();
  EXPECT_TRUE(response.header.truncated);
  EXPECT_TRUE(response.answers.empty());
  EXPECT_TRUE(response.additionals.empty());
}

TEST(ResponseWriter, RecordThatFitsExactlyIsTakenAndOneByteMoreIsNot) {
  Query query = QueryFor("photos.example");
  for (size_t extra : {0U, 1U}) {
    Written written(query);
    std::vector<uint8_t> rdata(512 - 12 - 20 - 12 + extra);
    written.writer.Opaque({Section::kAnswer, query.question->name, 30}, RecordType::kTxt,
                          RecordClass::kNone, rdata);
    EXPECT_EQ(written.Finish().header.truncated, extra == 1);
  }
}

TEST(ResponseWriter, AdditionalRecordThatDoesNotFitIsLeftOutWithoutTruncation) {
  Query query = QueryFor("photos.example");
  Written written(query);
  std::vector<uint8_t> large(480);
  written.writer.Address({Section::kAnswer, query.question->name, 30}, IpAddress());
  written.writer.Opaque({Section::kAdditional, N("left.out"), 30}, RecordType::kTxt,
                        RecordClass::kNone, large);
  written.writer.Address({Section::kAdditional, N("left.out"), 30}, IpAddress());
  Response response = written.Finish();
  EXPECT_FALSE(response.header.truncated);
  EXPECT_EQ(response.answers.size(), 1U);
  ASSERT_EQ(response.additionals.size(), 1U);
  EXPECT_EQ(response.additionals[0].owner, N("left.out"));
}

TEST(ResponseWriter, EchoesTheSubnetWithTheScopeAndNoMoreBits) {
  ClientSubnet subnet{.address = IpAddress::V4(198, 51, 100, 0), .source_length = 24};
  Query query = QueryFor("photos.example", Edns{.udp_size = 4096, .subnet = subnet});
  Written scoped(query);
  scoped.writer.SetSubnetScope(20);
  subnet.scope_length = 20;
  Response response = scoped.Finish();
  EXPECT_EQ(response.edns->subnet, subnet);
  EXPECT_EQ(response.edns->udp_size, kMaxUdpResponseBytes);

  Written unscoped(query);
  EXPECT_EQ(unscoped.Finish().edns->subnet->scope_length, 0);
}

TEST(ResponseWriter, EchoesDnssecOkAndUnspecifiedFamily) {
  ClientSubnet none{.family_unspecified = true};
  Query query = QueryFor("photos.example", Edns{.dnssec_ok = true, .subnet = none});
  Response response = Written(query).Finish();
  EXPECT_TRUE(response.edns->dnssec_ok);
  EXPECT_EQ(response.edns->subnet, none);
}

TEST(ResponseWriter, UpperBitsOfTheRcodeTravelInTheOpt) {
  Query query = QueryFor("photos.example", Edns{.version = 3});
  Written written(query);
  written.writer.SetRcode(Rcode::kBadVers);
  Response response = written.Finish();
  EXPECT_EQ(response.rcode, Rcode::kBadVers);
  EXPECT_EQ(response.header.low_rcode, 0);
  EXPECT_EQ(response.edns->version, 0);
}

TEST(ResponseWriter, ErrorWithoutAQuestionIsAHeaderAlone) {
  Query query{.id = 9};
  Written written(query);
  written.writer.SetRcode(Rcode::kFormErr);
  Response response = written.Finish();
  EXPECT_EQ(written.bytes.size(), kHeaderBytes);
  EXPECT_EQ(response.rcode, Rcode::kFormErr);
  EXPECT_FALSE(response.question);
}

TEST(UdpResponseLimit, IsTheClientsSizeWithin512And1232) {
  EXPECT_EQ(UdpResponseLimit(QueryFor("a")), 512U);
  auto limit = [](uint16_t size) {
    return UdpResponseLimit(QueryFor("a", Edns{.udp_size = size}));
  };
  EXPECT_EQ(limit(0), 512U);
  EXPECT_EQ(limit(511), 512U);
  EXPECT_EQ(limit(513), 513U);
  EXPECT_EQ(limit(1232), 1232U);
  EXPECT_EQ(limit(1233), 1232U);
  EXPECT_EQ(limit(65535), 1232U);
}

TEST(ResponseWriterDeathTest, SectionsDoNotGoBackwards) {
  Query query = QueryFor("photos.example");
  Written written(query);
  written.writer.Address({Section::kAdditional, N("a"), 1}, IpAddress());
  EXPECT_DEATH(written.writer.Address({Section::kAnswer, N("a"), 1}, IpAddress()), "CHECK");
}

}  // namespace
}  // namespace meridian::wire::dns
