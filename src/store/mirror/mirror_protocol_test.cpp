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
  Hello hello{.site = "photos", .data_center = "us-west", .now = {5}};
  std::vector<uint8_t> bytes = EncodeHello(hello);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kHello);
  EXPECT_EQ(FrameOf(bytes).stream, kWholeConnection);
  EXPECT_EQ(ParseHello(FrameOf(bytes).body), hello);
  ExpectExactLength(FrameOf(bytes).body, ParseHello);

  Welcome welcome{.data_center = "us-east", .now = {4}};
  bytes = EncodeWelcome(welcome);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kWelcome);
  EXPECT_EQ(FrameOf(bytes).stream, kWholeConnection);
  EXPECT_EQ(ParseWelcome(FrameOf(bytes).body), welcome);
  ExpectExactLength(FrameOf(bytes).body, ParseWelcome);
}

TEST(MirrorProtocolTest, MessagesOfAStreamDecodeTheSameWithItsNumber) {
  OpenStream open{
      .log = "session", .log_id = 1, .next_offset = 2, .newest_epoch = 3, .min_epoch = 4};
  std::vector<uint8_t> bytes = EncodeOpenStream(1, open);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kOpenStream);
  EXPECT_EQ(FrameOf(bytes).stream, 1);
  EXPECT_EQ(ParseOpenStream(FrameOf(bytes).body), open);
  ExpectExactLength(FrameOf(bytes).body, ParseOpenStream);

  StreamOpened opened{.log_id = 1, .epoch = 2, .end_offset = 3};
  bytes = EncodeStreamOpened(258, opened);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kStreamOpened);
  EXPECT_EQ(FrameOf(bytes).stream, 258);
  EXPECT_EQ(ParseStreamOpened(FrameOf(bytes).body), opened);
  ExpectExactLength(FrameOf(bytes).body, ParseStreamOpened);

  Refusal refusal{RefusalReason::kStaleEpoch, "epoch 3 was replaced"};
  bytes = EncodeRefusal(UINT16_MAX, refusal);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kRefuse);
  EXPECT_EQ(FrameOf(bytes).stream, UINT16_MAX);
  EXPECT_EQ(ParseRefusal(FrameOf(bytes).body), refusal);
  ExpectExactLength(FrameOf(bytes).body, ParseRefusal);

  Ack ack{.end_offset = 9, .block_bytes = 12, .now = {10}, .asked_us = -11, .own_offset = 13};
  bytes = EncodeAck(3, ack);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kAck);
  EXPECT_EQ(FrameOf(bytes).stream, 3);
  EXPECT_EQ(ParseAck(FrameOf(bytes).body), ack);
  ExpectExactLength(FrameOf(bytes).body, ParseAck);

  SourceState state{.epoch = 1,
                    .end_offset = 2,
                    .now = {3},
                    .clock = {.asked_us = -4, .received_us = 5, .answered_us = 6}};
  bytes = EncodeHeartbeat(4, state);
  EXPECT_EQ(FrameOf(bytes).type, FrameType::kHeartbeat);
  EXPECT_EQ(FrameOf(bytes).stream, 4);
  EXPECT_EQ(ParseHeartbeat(FrameOf(bytes).body), state);
  ExpectExactLength(FrameOf(bytes).body, ParseHeartbeat);
}

TEST(MirrorProtocolTest, RecordsFollowTheStateOfTheirSource) {
  SourceState state{.epoch = 1, .end_offset = 2, .now = {3}};
  std::vector<uint8_t> bytes = EncodeRecordsHead(5, state, 3);
  bytes.insert(bytes.end(), {7, 8, 9});
  Frame frame = FrameOf(bytes);
  EXPECT_EQ(frame.type, FrameType::kRecords);
  EXPECT_EQ(frame.stream, 5);
  EXPECT_EQ(ParseSourceState(frame.body), state);
  EXPECT_EQ(frame.body.size(), kSourceStateBytes + 3);
  EXPECT_FALSE(ParseSourceState(frame.body.first(kSourceStateBytes - 1)));
}

TEST(MirrorProtocolTest, FrameAsLongAsAllowedIsTakenAndOneByteMoreIsRefused) {
  std::vector<uint8_t> bytes = EncodeFrame(FrameType::kBlock, 1, std::vector<uint8_t>(100));
  EXPECT_EQ(FrameBytes(bytes, 100), 107U);
  EXPECT_EQ(FrameBytes(bytes, 99).error().code, Errc::kTooLarge);
  EXPECT_EQ(FrameBytes(Bytes(bytes).first(kFrameHeaderBytes), 100), 107U);
  EXPECT_EQ(FrameBytes(Bytes(bytes).first(4), 100), 0U);
}

TEST(MirrorProtocolTest, UnknownTypesAndReasonsAreRefused) {
  for (uint8_t type : {uint8_t{0}, uint8_t{13}, uint8_t{255}}) {
    std::vector<uint8_t> bytes = {0, 0, 0, 2, type, 0, 0};
    EXPECT_EQ(FrameBytes(bytes, 100).error().code, Errc::kInvalid);
  }
  for (uint8_t reason : {uint8_t{0}, uint8_t{13}}) {
    std::vector<uint8_t> body = {reason, 0, 0};
    EXPECT_EQ(ParseRefusal(body).error().code, Errc::kInvalid);
  }
}

TEST(MirrorProtocolTest, FrameWithoutAStreamIsRefused) {
  for (uint8_t length : {uint8_t{0}, uint8_t{1}}) {
    std::vector<uint8_t> bytes = {0, 0, 0, length, 8, 0};
    EXPECT_EQ(FrameBytes(bytes, 100).error().code, Errc::kInvalid);
  }
  EXPECT_EQ(FrameBytes(std::vector<uint8_t>{0, 0, 0, 2, 12}, 100), kFrameHeaderBytes);
}

// It was refused for its length, and the follower did not hear why.
TEST(MirrorProtocolTest, HelloOfAnotherVersionHasOnlyThat) {
  const std::vector<uint8_t> of_version_2 = {0, 0, 0, 6, 1, 0, 0, 0, 2, 0, 9};
  Frame frame = FrameOf(of_version_2);
  EXPECT_EQ(frame.stream, kWholeConnection);
  EXPECT_EQ(ParseHello(frame.body)->version, 2);
}

TEST(MirrorProtocolTest, LongestNamesMakeAHelloThatTheSourceReads) {
  std::string name(kMaxNameBytes, 'x');
  EXPECT_TRUE(FrameBytes(EncodeHello({.site = name, .data_center = name}), kMaxHandshakeBytes));
  EXPECT_TRUE(FrameBytes(EncodeOpenStream(1, {.log = name}), kMaxHandshakeBytes));
  std::vector<uint8_t> refusal =
      EncodeRefusal(1, {RefusalReason::kProtocol, std::string(kMaxRefusalTextBytes + 1, 'x')});
  EXPECT_EQ(ParseRefusal(FrameOf(refusal).body)->text.size(), kMaxRefusalTextBytes);
}

}  // namespace
}  // namespace meridian::store
