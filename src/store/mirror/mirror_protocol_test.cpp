#include "store/mirror/mirror_protocol.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/limits.hpp"

namespace meridian::store {
namespace {

Frame FrameOf(const std::vector<uint8_t>& bytes) {
  EXPECT_EQ(FrameBytes(bytes, kMaxFrameBytes), bytes.size());
  return ParseFrame(bytes);
}

// That every cut of its body is refused, and every byte more.
template <class Parse>
void ExpectExactLength(Bytes body, Parse parse) {
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(parse(body.first(size))) << size;
  }
  std::vector<uint8_t> longer(body.begin(), body.end());
  longer.push_back(0);
  EXPECT_FALSE(parse(longer));
}

TEST(MirrorProtocolTest, MessagesThatWereEncodedDecodeTheSame) {
  Hello hello{.site = "photos",
              .data_center = "us-west",
              .log = "session",
              .log_id = 1,
              .next_offset = 2,
              .newest_epoch = 3,
              .least_epoch = 4,
              .now = {5}};
  std::vector<uint8_t> bytes = EncodeHello(hello);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kHello);
  EXPECT_EQ(ParseHello(FrameOf(bytes).body), hello);
  ExpectExactLength(FrameOf(bytes).body, ParseHello);

  Welcome welcome{.data_center = "us-east", .log_id = 1, .epoch = 2, .end_offset = 3, .now = {4}};
  bytes = EncodeWelcome(welcome);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kWelcome);
  EXPECT_EQ(ParseWelcome(FrameOf(bytes).body), welcome);
  ExpectExactLength(FrameOf(bytes).body, ParseWelcome);

  Refusal refusal{RefusalReason::kStaleEpoch, "epoch 3 was replaced"};
  bytes = EncodeRefusal(refusal);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kRefuse);
  EXPECT_EQ(ParseRefusal(FrameOf(bytes).body), refusal);
  ExpectExactLength(FrameOf(bytes).body, ParseRefusal);

  Ack ack{.end_offset = 9, .now = {10}, .asked_us = -11};
  bytes = EncodeAck(ack);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kAck);
  EXPECT_EQ(ParseAck(FrameOf(bytes).body), ack);
  ExpectExactLength(FrameOf(bytes).body, ParseAck);

  SourceState state{.epoch = 1,
                    .end_offset = 2,
                    .now = {3},
                    .clock = {.asked_us = -4, .received_us = 5, .answered_us = 6}};
  bytes = EncodeHeartbeat(state);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kHeartbeat);
  EXPECT_EQ(ParseHeartbeat(FrameOf(bytes).body), state);
  ExpectExactLength(FrameOf(bytes).body, ParseHeartbeat);
}

TEST(MirrorProtocolTest, RecordsFollowTheStateOfTheirSource) {
  SourceState state{.epoch = 1, .end_offset = 2, .now = {3}};
  std::vector<uint8_t> bytes = EncodeRecordsHead(state, 3);
  bytes.insert(bytes.end(), {7, 8, 9});
  Frame frame = FrameOf(bytes);
  EXPECT_EQ(frame.type, FrameType::kRecords);
  EXPECT_EQ(ParseSourceState(frame.body), state);
  EXPECT_EQ(frame.body.size(), kSourceStateBytes + 3);
  EXPECT_FALSE(ParseSourceState(frame.body.first(kSourceStateBytes - 1)));
}

TEST(MirrorProtocolTest, FrameAsLongAsAllowedIsTakenAndOneByteMoreIsRefused) {
  std::vector<uint8_t> bytes = EncodeFrame(FrameType::kBlock, std::vector<uint8_t>(100));
  EXPECT_EQ(FrameBytes(bytes, 100), 105U);
  EXPECT_EQ(FrameBytes(bytes, 99).error().code, Errc::kTooLarge);
  EXPECT_EQ(FrameBytes(Bytes(bytes).first(kFrameHeaderBytes), 100), 105U);
  EXPECT_EQ(FrameBytes(Bytes(bytes).first(kFrameHeaderBytes - 1), 100), 0U);
}

TEST(MirrorProtocolTest, UnknownTypesAndReasonsAreRefused) {
  for (uint8_t type : {uint8_t{0}, uint8_t{9}, uint8_t{255}}) {
    std::vector<uint8_t> bytes = {0, 0, 0, 0, type};
    EXPECT_EQ(FrameBytes(bytes, 100).error().code, Errc::kInvalid);
  }
  for (uint8_t reason : {uint8_t{0}, uint8_t{12}}) {
    std::vector<uint8_t> body = {reason, 0, 0};
    EXPECT_EQ(ParseRefusal(body).error().code, Errc::kInvalid);
  }
}

TEST(MirrorProtocolTest, LongestNamesMakeAHelloThatTheSourceReads) {
  std::string name(kMaxNameBytes, 'x');
  std::vector<uint8_t> bytes = EncodeHello({.site = name, .data_center = name, .log = name});
  EXPECT_TRUE(FrameBytes(bytes, kMaxHandshakeBytes));
  std::vector<uint8_t> refusal =
      EncodeRefusal({RefusalReason::kProtocol, std::string(kMaxRefusalTextBytes + 1, 'x')});
  EXPECT_EQ(ParseRefusal(FrameOf(refusal).body)->text.size(), kMaxRefusalTextBytes);
}

}  // namespace
}  // namespace meridian::store
