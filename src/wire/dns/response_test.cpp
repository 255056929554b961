#include "wire/dns/response.hpp"

#include <gtest/gtest.h>

#include "wire/dns/case_file.hpp"
#include "wire/dns/record.hpp"

namespace meridian::wire::dns {
namespace {

constexpr size_t kRecordOffset = 16;  // as records.txt says

Result<Record> Decoded(const std::vector<uint8_t>& record) {
  std::vector<uint8_t> message = BytesOf("00*12 02 'ab' 00");
  message.insert(message.end(), record.begin(), record.end());
  size_t offset = kRecordOffset;
  Result<Record> decoded = DecodeRecord(message, &offset);
  if (decoded) EXPECT_EQ(offset, message.size());
  return decoded;
}

TEST(DecodeRecord, TakesTheGoodAndRefusesTheBadOfTheDataFile) {
  std::vector<FileCase> lines = ReadCases("records.txt");
  EXPECT_GT(lines.size(), 40U);
  for (const FileCase& line : lines) {
    EXPECT_EQ(Decoded(line.bytes).has_value(), line.word == "good") << line.description;
  }
}

TEST(DecodeRecord, GivesAnHttpsRecordWhole) {
  Result<Record> record =
      Decoded(BytesOf("c00c 0041 0001 0000001e 0037 0002 02 'us' 00 0001 0006 02 'h2' 02 'h3'"
                      " 0003 0002 20fb 0004 0004 7f010001 0005 0001 ff 0006 0010 00*15 01"));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->owner.ToString(), "ab.");
  EXPECT_EQ(record->ttl_seconds, 30U);
  const auto& binding = std::get<ServiceBinding>(record->data);
  EXPECT_EQ(binding.priority, 2);
  EXPECT_EQ(binding.target.ToString(), "us.");
  EXPECT_EQ(binding.alpn, (std::vector<std::string>{"h2", "h3"}));
  EXPECT_EQ(binding.port, 8443);
  EXPECT_EQ(binding.ipv4_hints, std::vector{IpAddress::V4(127, 1, 0, 1)});
  EXPECT_EQ(binding.ipv6_hints, std::vector{*IpAddress::Parse("::1")});
  ASSERT_EQ(binding.others.size(), 1U);
  EXPECT_EQ(binding.others[0].key, 5);
}

TEST(DecodeRecord, GivesASoaWhole) {
  Result<Record> record =
      Decoded(BytesOf("c00c 0006 0001 0000001e 001d 02 'ns' c00c 01 'h' c00c"
                      " 00000001 00000002 00000003 00000004 00000005"));
  ASSERT_TRUE(record);
  const auto& soa = std::get<SoaData>(record->data);
  EXPECT_EQ(soa.primary.ToString(), "ns.ab.");
  EXPECT_EQ(soa.mailbox.ToString(), "h.ab.");
  EXPECT_EQ(soa.serial, 1U);
  EXPECT_EQ(soa.minimum_seconds, 5U);
}

TEST(DecodeResponse, GivesSectionsAndTheWholeRcode) {
  Result<Response> response =
      DecodeResponse(BytesOf("1234 8580 0001 0001 0001 0002  02 'ab' 00 0001 0001"
                             " c00c 0001 0001 00000005 0004 7f010001"
                             " c00c 0002 0001 00000005 0002 c00c"
                             " 00 0029 04d0 01000000 000b 0008 0007 0001 18 10 c63364"
                             " c00c 0001 0001 00000005 0004 7f010001"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->header.id, 0x1234);
  EXPECT_TRUE(response->header.authoritative);
  EXPECT_EQ(response->rcode, Rcode::kBadVers);
  EXPECT_EQ(response->question->name.ToString(), "ab.");
  EXPECT_EQ(response->answers.size(), 1U);
  EXPECT_EQ(response->authorities.size(), 1U);
  EXPECT_EQ(response->additionals.size(), 1U);
  EXPECT_EQ(response->edns->subnet->scope_length, 16);
}

TEST(DecodeResponse, RefusesAnythingButOneResponse) {
  for (const char* text : {
           "1234 8000 0000 0000 0000 00",                                      // short header
           "1234 0000 0001 0000 0000 0000 02 'ab' 00 0001 0001",               // a query
           "1234 8000 0002 0000 0000 0000 00 0001 0001 00 0001 0001",          // two questions
           "1234 8000 0001 0000 0000 0000 02 'ab' 00 0001",                    // cut off
           "1234 8000 0000 0001 0000 0000",                                    // no answer
           "1234 8000 0000 0000 0001 0000",                                    // no authority
           "1234 8000 0000 0000 0000 0001",                                    // no additional
           "1234 8000 0000 0000 0000 0000 00",                                 // a byte behind
           "1234 8000 0000 0000 0000 0002 0000290000000000000000*2",           // two OPT
           "1234 8000 0000 0000 0000 0001 00 0029 0000 00000000 0002 0008",    // bad option
           "1234 8000 0000 0000 0000 0001 01 'a' 00 0029 0000 00000000 0000",  // OPT of a name
       }) {
    Result<Response> response = DecodeResponse(BytesOf(text));
    ASSERT_FALSE(response) << text;
    EXPECT_EQ(response.error().code, Errc::kInvalid) << text;
  }
}

TEST(DecodeResponse, TakesSoManyRecordsAndNotOneMore) {
  std::string record = "0000630001000000000000";
  EXPECT_EQ(kMaxMessageRecords, 0x800U);
  EXPECT_TRUE(DecodeResponse(BytesOf("1234 8000 0000 0800 0000 0000 " + record + "*2048")));
  Result<Response> over =
      DecodeResponse(BytesOf("1234 8000 0000 0800 0000 0001 " + record + "*2049"));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::kTooLarge);
}

TEST(Answers, NeedsIdAndQuestionWithTheSameSpelling) {
  Query query{.id = 0x1234, .question = Question{*Name::Parse("aB"), RecordType::kA}};
  auto answers = [&](const char* text) { return Answers(*DecodeResponse(BytesOf(text)), query); };
  EXPECT_TRUE(answers("1234 8000 0001 0000 0000 0000 02 'aB' 00 0001 0001"));
  EXPECT_FALSE(answers("1235 8000 0001 0000 0000 0000 02 'aB' 00 0001 0001"));
  EXPECT_FALSE(answers("1234 8000 0001 0000 0000 0000 02 'ab' 00 0001 0001"));
  EXPECT_FALSE(answers("1234 8000 0001 0000 0000 0000 02 'aB' 00 001c 0001"));
  EXPECT_FALSE(answers("1234 8000 0000 0000 0000 0000"));
  EXPECT_FALSE(answers("1234 a000 0001 0000 0000 0000 02 'aB' 00 0001 0001"));
}

}  // namespace
}  // namespace meridian::wire::dns
