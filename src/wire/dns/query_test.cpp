#include "wire/dns/query.hpp"

#include <gtest/gtest.h>

#include "wire/dns/case_file.hpp"

namespace meridian::wire::dns {
namespace {

std::string_view Word(QueryKind kind) {
  switch (kind) {
    case QueryKind::kAnswer:
      return "answer";
    case QueryKind::kDrop:
      return "drop";
    case QueryKind::kFormatError:
      return "formerr";
    case QueryKind::kNotImplemented:
      return "notimp";
    case QueryKind::kBadVersion:
      return "badvers";
  }
  return "?";
}

Query DecodedAs(QueryKind kind, const std::string& text) {
  Query query;
  EXPECT_EQ(DecodeQuery(BytesOf(text), &query), kind) << text;
  return query;
}

TEST(DecodeQuery, GivesEachMessageOfTheDataFileItsKind) {
  std::vector<FileCase> lines = ReadCases("queries.txt");
  EXPECT_GT(lines.size(), 50U);
  for (const FileCase& line : lines) {
    Query query;
    EXPECT_EQ(Word(DecodeQuery(line.bytes, &query)), line.word) << line.description;
    EXPECT_EQ(query.id, line.word == "drop" ? 0 : 0x1234) << line.description;
  }
}

TEST(DecodeQuery, EveryPrefixOfAQueryIsSafeAndIsNoQuery) {
  std::vector<uint8_t> whole = BytesOf(
      "1234 0000 0001 0000 0000 0001 06 'photos' 00 0001 0001"
      " 00 0029 04d0 00000000 000b 0008 0007 0001 18 00 c63364");
  for (size_t size = 0; size < whole.size(); ++size) {
    std::vector<uint8_t> prefix(whole.begin(), whole.begin() + static_cast<long>(size));
    Query query;
    EXPECT_EQ(DecodeQuery(prefix, &query),
              size < kHeaderBytes ? QueryKind::kDrop : QueryKind::kFormatError)
        << size;
  }
}

TEST(DecodeQuery, GivesTheQuestionAsItWasSpelled) {
  Query query =
      DecodedAs(QueryKind::kAnswer, "beef 0100 0001 0000 0000 0000 06 'PhoTos' 00 0041 0001");
  EXPECT_EQ(query.id, 0xbeef);
  EXPECT_TRUE(query.recursion_desired);
  EXPECT_EQ(query.question->name.ToString(), "PhoTos.");
  EXPECT_EQ(query.question->type, RecordType::kHttps);
  EXPECT_EQ(query.question->record_class, RecordClass::kIn);
  EXPECT_FALSE(query.edns);
}

TEST(DecodeQuery, GivesTheClientSubnet) {
  Query query = DecodedAs(QueryKind::kAnswer,
                          "1234 0000 0001 0000 0000 0001 00 0001 0001"
                          " 00 0029 1000 00008000 000b 0008 0007 0001 18 00 c63364");
  ASSERT_TRUE(query.edns && query.edns->subnet);
  EXPECT_EQ(query.edns->udp_size, 4096);
  EXPECT_TRUE(query.edns->dnssec_ok);
  EXPECT_EQ(query.edns->subnet->address, IpAddress::V4(198, 51, 100, 0));
  EXPECT_EQ(query.edns->subnet->source_length, 24);
}

TEST(DecodeQuery, KeepsForAnErrorWhatWasSoundBeforeIt) {
  Query bad_subnet = DecodedAs(QueryKind::kFormatError,
                               "1234 0000 0001 0000 0000 0001 03 'abc' 00 0001 0001"
                               " 00 0029 04d0 00000000 000b 0008 0007 0001 17 00 c63365");
  EXPECT_EQ(bad_subnet.question->name.ToString(), "abc.");
  ASSERT_TRUE(bad_subnet.edns);
  EXPECT_FALSE(bad_subnet.edns->subnet);
  EXPECT_FALSE(DecodedAs(QueryKind::kFormatError, "1234 0000 0001 0000 0000 0000 c00c").question);
  EXPECT_EQ(DecodedAs(QueryKind::kNotImplemented, "1234 2800 0000 0000 0000 0000").opcode,
            static_cast<Opcode>(5));
}

TEST(DecodeQuery, KeepsTheOptOfWhatItCannotAnswer) {
  const char* opt = " 00 0029 04d0 00000000 0000";
  std::string notify = "1234 2000 0001 0000 0000 0001 03 'abc' 00 0006 0001";
  std::string no_question = "1234 0000 0000 0000 0000 0001";
  EXPECT_TRUE(DecodedAs(QueryKind::kNotImplemented, notify + opt).edns);
  EXPECT_TRUE(DecodedAs(QueryKind::kFormatError, no_question + opt).edns);
}

TEST(EncodeQuery, IsReadBackAsItWas) {
  ClientSubnet v4{.address = IpAddress::V4(198, 51, 100, 0), .source_length = 24};
  ClientSubnet v6{.address = *IpAddress::Parse("2001:db8:a0::"), .source_length = 43};
  ClientSubnet none{.family_unspecified = true};
  for (const std::optional<ClientSubnet>& subnet :
       std::vector<std::optional<ClientSubnet>>{std::nullopt, v4, v6, none}) {
    Query query{.id = 7,
                .recursion_desired = true,
                .question = Question{*Name::Parse("photos.example"), RecordType::kAaaa},
                .edns = Edns{.udp_size = 1232, .dnssec_ok = true, .subnet = subnet}};
    std::array<uint8_t, kMinUdpResponseBytes> buffer{};
    size_t size = EncodeQuery(query, buffer);
    Query decoded;
    EXPECT_EQ(DecodeQuery(Bytes(buffer).first(size), &decoded), QueryKind::kAnswer);
    EXPECT_EQ(decoded, query);
  }
}

TEST(EncodeQuery, SendsNoMoreBitsOfTheClientThanTheSourceLengthSays) {
  ClientSubnet subnet{.address = IpAddress::V4(198, 51, 100, 77), .source_length = 20};
  Query query{.question = Question{}, .edns = Edns{.subnet = subnet}};
  std::array<uint8_t, kMinUdpResponseBytes> buffer{};
  size_t size = EncodeQuery(query, buffer);
  Query decoded;
  ASSERT_EQ(DecodeQuery(Bytes(buffer).first(size), &decoded), QueryKind::kAnswer);
  EXPECT_EQ(decoded.edns->subnet->address, IpAddress::V4(198, 51, 96, 0));
}

}  // namespace
}  // namespace meridian::wire::dns
