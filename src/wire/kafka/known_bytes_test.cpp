// Messages of other implementations, and messages worked out by hand from the protocol's
// definition.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/message_fixture.hpp"
#include "wire/kafka/messages/api_versions.hpp"
#include "wire/kafka/messages/consumer_protocol.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/messages/membership.hpp"
#include "wire/kafka/messages/metadata.hpp"
#include "wire/kafka/messages/offsets.hpp"
#include "wire/kafka/messages/produce.hpp"
#include "wire/kafka/messages/topics.hpp"

namespace meridian::wire::kafka {
namespace {

// Hexadecimal digits, and texts in single quotes: "0003 'abc'". The bytes live until the end, since
// decoded strings are views into them.
std::vector<uint8_t>& FromHex(std::string_view text) {
  static std::deque<std::vector<uint8_t>> all;
  std::vector<uint8_t>& bytes = all.emplace_back();
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
    } else if (text[i] == '\'') {
      for (++i; text[i] != '\''; ++i) bytes.push_back(static_cast<uint8_t>(text[i]));
      ++i;
    } else {
      auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
      bytes.push_back(static_cast<uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
      i += 2;
    }
  }
  return bytes;
}

template <class Request>
Result<Request> DecodeAs(Bytes request) {
  auto header = DecodeRequestHeader(request);
  if (!header) return Fail(header.error());
  EXPECT_EQ(header->api_key, static_cast<int16_t>(Request::kApi));
  return DecodeRequest<Request>(*header);
}

TEST(KnownBytes, MessagesOfKafkaPythonAreDecodedAndEncodedToTheSameBytes) {
  std::ifstream file(MERIDIAN_TESTDATA "/kafka_python.txt");
  std::string line;
  int messages = 0;
  while (std::getline(file, line)) {
    if (line.starts_with('#')) continue;
    SCOPED_TRACE(line);
    int key = 0;
    int16_t version = 0;
    std::string kind;
    std::string hex;
    std::istringstream(line) >> key >> version >> kind >> hex;
    const MessageCase& message = MessageOf(static_cast<ApiKey>(key), kind == "request");
    std::vector<uint8_t> bytes = FromHex(hex);
    auto object = message.make();
    auto decoded = internal::DecodeMessage(*message.schema, bytes, version, false, object.get());
    EXPECT_TRUE(decoded) << decoded.error().message;
    Frame frame;
    EXPECT_TRUE(internal::EncodeMessage(*message.schema, object.get(), version, false, &frame));
    EXPECT_EQ(frame.bytes, bytes);
    ++messages;
  }
  EXPECT_EQ(messages, 122);
}

TEST(KnownBytes, ApiVersionsRequestOfVersion3) {
  // Key 18, version 3, correlation id 7, client id "c" (not compact), no tagged fields in the
  // header; name "rd", version "2.0", no tagged fields.
  std::vector<uint8_t> bytes = FromHex("0012 0003 00000007 0001 'c' 00  03 'rd' 04 '2.0' 00");
  auto header = DecodeRequestHeader(bytes);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->supported());
  EXPECT_EQ(header->correlation_id, 7);
  EXPECT_EQ(header->client_id, "c");
  auto request = DecodeRequest<ApiVersionsRequest>(*header);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->client_software_name, "rd");
  EXPECT_EQ(request->client_software_version, "2.0");
  Frame frame;
  ASSERT_TRUE(
      EncodeRequest({.api_version = 3, .correlation_id = 7, .client_id = "c"}, *request, &frame));
  EXPECT_EQ(Bytes(frame.bytes).size(), bytes.size() + 4);
  EXPECT_EQ(std::vector<uint8_t>(frame.bytes.begin() + 4, frame.bytes.end()), bytes);
}

TEST(KnownBytes, ApiVersionsResponseHasTheOldHeaderInEveryVersion) {
  ApiVersionsResponse response{.apis = {{.key = 18, .min_version = 0, .max_version = 4}},
                               .finalized_features_epoch = 5};
  Frame frame;
  ASSERT_TRUE(EncodeResponse(9, 3, response, &frame));
  // Length, correlation id without tagged fields; error 0, an array of one (1 + 1) element with its
  // empty tagged fields, throttle time, one tagged field: tag 1 of 8 bytes.
  EXPECT_EQ(frame.bytes, FromHex("0000001d 00000009 0000 02 0012 0000 0004 00 00000000"
                                 "01 01 08 0000000000000005"));
  frame = {};
  ASSERT_TRUE(
      EncodeResponse(9, 0, ApiVersionsResponse{.error = ErrorCode::kUnsupportedVersion}, &frame));
  EXPECT_EQ(frame.bytes, FromHex("0000000a 00000009 0023 00000000"));
}

TEST(KnownBytes, MetadataRequestAsksForAllTopicsOrForNone) {
  auto all_in_version_0 = DecodeAs<MetadataRequest>(FromHex("0003 0000 00000001 ffff 00000000"));
  ASSERT_TRUE(all_in_version_0);
  ASSERT_TRUE(all_in_version_0->topics);
  EXPECT_TRUE(all_in_version_0->topics->empty());
  auto all = DecodeAs<MetadataRequest>(FromHex("0003 0001 00000001 ffff ffffffff"));
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->topics);
  EXPECT_TRUE(all->allow_auto_topic_creation);
  auto none = DecodeAs<MetadataRequest>(FromHex("0003 000c 00000001 ffff 00 01 00 00 00"));
  ASSERT_TRUE(none) << none.error().message;
  ASSERT_TRUE(none->topics);
  EXPECT_FALSE(none->allow_auto_topic_creation);
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex("0003 0000 00000001 ffff ffffffff")));
}

TEST(KnownBytes, MetadataRequestNamesATopicByNameOrById) {
  auto request =
      DecodeAs<MetadataRequest>(FromHex("0003 000c 00000001 ffff 00  03"
                                        "00000000000000000000000000000000 02 'a' 00"
                                        "000102030405060708090a0b0c0d0e0f 00 00"
                                        "01 01 00"));
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_EQ(request->topics->size(), 2);
  EXPECT_EQ((*request->topics)[0].name, "a");
  EXPECT_EQ((*request->topics)[1].name, std::nullopt);
  EXPECT_EQ((*request->topics)[1].id[15], 0x0f);
  EXPECT_TRUE(request->include_topic_authorized_operations);
  EXPECT_FALSE(request->include_cluster_authorized_operations);  // gone since version 11
}

TEST(KnownBytes, ProduceRequestIsAViewIntoTheInputBeforeAndAfterFlexibleVersions) {
  std::vector<uint8_t> old = FromHex(
      "0000 0007 00000002 0001 'p'  ffff ffff 00001388 00000001 0002 'tp' 00000001"
      "00000003 00000005 'BATCH'");
  std::vector<uint8_t> flexible = FromHex(
      "0000 0009 00000002 0001 'p' 00  00 ffff 00001388 02 03 'tp' 02"
      "00000003 06 'BATCH' 00 00 00");
  for (const std::vector<uint8_t>& bytes : {old, flexible}) {
    auto request = DecodeAs<ProduceRequest>(bytes);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->acks, -1);
    EXPECT_EQ(request->timeout_ms, 5000);
    EXPECT_FALSE(request->transactional_id);
    ASSERT_EQ(request->topics.size(), 1);
    EXPECT_EQ(request->topics[0].name, "tp");
    ASSERT_EQ(request->topics[0].partitions.size(), 1);
    EXPECT_EQ(request->topics[0].partitions[0].index, 3);
    Bytes records = request->topics[0].partitions[0].records.bytes;
    EXPECT_EQ(AsText(records), "BATCH");
    EXPECT_GE(records.data(), bytes.data());
    EXPECT_LE(records.data() + records.size(), bytes.data() + bytes.size());
  }
}

FetchResponse TwoPartitions() {
  FetchResponse response;
  response.topics.resize(1);
  response.topics[0].name = "t";
  response.topics[0].partitions.resize(2);
  response.topics[0].partitions[0].high_watermark = 9;
  response.topics[0].partitions[0].records.left_out_bytes = 1000;
  response.topics[0].partitions[1].index = 1;
  response.topics[0].partitions[1].records.left_out_bytes = 70000;
  return response;
}

TEST(KnownBytes, FetchResponseLeavesOutRecordSets) {
  Frame frame;
  ASSERT_TRUE(EncodeResponse(3, 4, TwoPartitions(), &frame));
  // Up to the record set of the first partition: its length.
  std::vector<uint8_t> first = FromHex(
      "000115a7 00000003 00000000 00000001 0001 't' 00000002"
      "00000000 0000 0000000000000009 ffffffffffffffff ffffffff 000003e8");
  std::vector<uint8_t> second =
      FromHex("00000001 0000 ffffffffffffffff ffffffffffffffff ffffffff 00011170");
  ASSERT_EQ(frame.gaps.size(), 2);
  EXPECT_EQ(frame.gaps[0].position, first.size());
  EXPECT_EQ(frame.gaps[0].bytes, 1000);
  EXPECT_EQ(frame.gaps[1].position, first.size() + second.size());
  EXPECT_EQ(frame.gaps[1].bytes, 70000);
  std::vector<uint8_t> both = first;
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(frame.bytes, both);
}

TEST(KnownBytes, AFetchResponseWithItsRecordSetsPutInIsDecoded) {
  for (int16_t version : {int16_t{4}, int16_t{11}, int16_t{12}}) {
    SCOPED_TRACE(version);
    Frame frame;
    ASSERT_TRUE(EncodeResponse(3, version, TwoPartitions(), &frame));
    std::vector<uint8_t> whole;
    size_t copied = 0;
    auto copy_until = [&](size_t position) {
      for (; copied < position; ++copied) whole.push_back(frame.bytes[copied]);
    };
    for (const Frame::Gap& gap : frame.gaps) {
      copy_until(gap.position);
      whole.resize(whole.size() + gap.bytes, 'r');
    }
    copy_until(frame.bytes.size());
    EXPECT_EQ(ByteReader(whole).U32(), whole.size() - 4);
    auto header = DecodeResponseHeader(*FindApi(1), version, Bytes(whole).subspan(4));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->correlation_id, 3);
    auto response = DecodeResponse<FetchResponse>(*header, version);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->topics[0].partitions[0].records.bytes.size(), 1000);
    EXPECT_EQ(response->topics[0].partitions[1].records.bytes.size(), 70000);
    EXPECT_FALSE(response->topics[0].partitions[0].aborted_transactions);
  }
}

TEST(KnownBytes, TaggedFieldsOfAFetchResponse) {
  FetchResponse response;
  response.topics.resize(1);
  response.topics[0].partitions.resize(1);
  response.topics[0].partitions[0].current_leader = {.id = 2, .epoch = 5};
  Frame frame;
  ASSERT_TRUE(EncodeResponse(1, 12, response, &frame));
  // The leader: tag 1, 9 bytes: id, epoch, its own empty tagged fields. Then those of the topic and
  // of the response.
  std::vector<uint8_t> end = FromHex("01 01 09 00000002 00000005 00  00 00");
  EXPECT_EQ(std::vector<uint8_t>(frame.bytes.end() - static_cast<ptrdiff_t>(end.size()),
                                 frame.bytes.end()),
            end);
}

TEST(KnownBytes, JoinGroupRequestOfVersion5) {
  auto request = DecodeAs<JoinGroupRequest>(
      FromHex("000b 0005 00000001 ffff 0001 'g' 00007530 0000ea60 0000 0002 'i1'"
              "0008 'consumer' 00000001 0005 'range' 00000003 'abc'"));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->session_timeout_ms, 30000);
  EXPECT_EQ(request->rebalance_timeout_ms, 60000);
  EXPECT_EQ(request->group_instance_id, "i1");
  EXPECT_EQ(request->protocols[0].name, "range");
  EXPECT_EQ(AsText(request->protocols[0].metadata), "abc");
}

TEST(KnownBytes, NullsThatAVersionDoesNotHaveAreWrittenAsEmpty) {
  Frame frame;
  ASSERT_TRUE(EncodeResponse(1, 6, JoinGroupResponse{.generation_id = 4}, &frame));
  EXPECT_EQ(frame.bytes, FromHex("00000014 00000001 00  00000000 0000 00000004 01 01 01 01 00"));
  frame = {};
  ASSERT_TRUE(EncodeResponse(1, 7, JoinGroupResponse{.generation_id = 4}, &frame));
  EXPECT_EQ(frame.bytes, FromHex("00000015 00000001 00  00000000 0000 00000004 00 00 01 01 01 00"));
}

TEST(KnownBytes, OffsetFetchAsksForOneGroupOrForSeveral) {
  auto one = DecodeAs<OffsetFetchRequest>(FromHex("0009 0002 00000001 ffff 0001 'g' ffffffff"));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->group_id, "g");
  EXPECT_FALSE(one->topics);
  auto several = DecodeAs<OffsetFetchRequest>(
      FromHex("0009 0008 00000001 ffff 00  02 02 'g' 02 02 't' 02 00000005 00 00 01 00"));
  ASSERT_TRUE(several) << several.error().message;
  EXPECT_EQ(several->groups[0].id, "g");
  EXPECT_EQ((*several->groups[0].topics)[0].partitions, std::vector<int32_t>{5});
  EXPECT_TRUE(several->require_stable);
}

TEST(KnownBytes, CreateTopicsResponseOfVersion5HasItsErrorAsATaggedField) {
  CreateTopicsResponse response;
  response.topics.resize(1);
  response.topics[0].name = "t";
  response.topics[0].topic_config_error = ErrorCode::kTopicAuthorizationFailed;
  Frame frame;
  ASSERT_TRUE(EncodeResponse(1, 5, response, &frame));
  EXPECT_EQ(frame.bytes, FromHex("0000001c 00000001 00  00000000 02 02 't' 0000 00 ffffffff ffff 00"
                                 "01 00 02 001d  00"));
}

TEST(KnownBytes, TheConsumerProtocolIsReadForTools) {
  auto subscription = DecodeSubscription(
      FromHex("0003 00000001 0001 't' ffffffff 00000001 0001 't' 00000001 00000002 00000007 ffff"));
  ASSERT_TRUE(subscription) << subscription.error().message;
  EXPECT_EQ(subscription->topics[0], "t");
  EXPECT_EQ(subscription->owned_partitions[0].partitions, std::vector<int32_t>{2});
  EXPECT_EQ(subscription->generation_id, 7);
  auto assignment = DecodeAssignment(FromHex("0000 00000001 0001 't' 00000001 00000004 00000000"));
  ASSERT_TRUE(assignment) << assignment.error().message;
  EXPECT_EQ(assignment->assigned_partitions[0].topic, "t");
  EXPECT_FALSE(DecodeSubscription(FromHex("0004 00000000 ffffffff")));
  EXPECT_FALSE(DecodeSubscription(FromHex("ffff")));
  EXPECT_FALSE(DecodeAssignment(FromHex("00")));
}

TEST(RequestHeader, OfUnsupportedApisAndVersionsIsReadUpToTheCorrelationId) {
  auto unknown = DecodeRequestHeader(FromHex("7fff 0000 00000005 'anything'"));
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->api, nullptr);
  EXPECT_FALSE(unknown->supported());
  auto newer = DecodeRequestHeader(FromHex("0012 0063 00000005 'anything'"));
  ASSERT_TRUE(newer);
  ASSERT_NE(newer->api, nullptr);
  EXPECT_EQ(newer->api->name, "ApiVersions");
  EXPECT_FALSE(newer->supported());
  EXPECT_EQ(newer->correlation_id, 5);
  EXPECT_TRUE(newer->body.empty());
  EXPECT_FALSE(DecodeRequestHeader(FromHex("0012 ffff 00000005"))->supported());
}

TEST(RequestHeader, MalformedHeadersAreRefused) {
  for (std::string_view header : {
           "",
           "0012 0000 000000",                     // too short for a correlation id
           "0012 0000 00000005",                   // no client id
           "0012 0000 00000005 fffe",              // a client id of length -2
           "0012 0000 00000005 0005 'abc'",        // a client id past the end
           "0012 0003 00000005 0000",              // no tagged fields
           "0012 0003 00000005 0000 01 00 05",     // a tagged field past the end
           "0012 0003 00000005 0000 ffffffffff0f"  // their count has 35 bits
       }) {
    EXPECT_FALSE(DecodeRequestHeader(FromHex(header))) << header;
  }
  EXPECT_TRUE(DecodeRequestHeader(FromHex("0012 0003 00000005 0000 01 00 02 'xx'")));
  EXPECT_FALSE(DecodeResponseHeader(*FindApi(3), 9, FromHex("00000001")));
  EXPECT_FALSE(DecodeResponseHeader(*FindApi(3), 8, FromHex("000001")));
}

TEST(Decoder, UnknownTaggedFieldsAreSkippedAndMalformedOnesRefused) {
  std::string body = "0012 0003 00000005 ffff 00 01 01";
  EXPECT_TRUE(DecodeAs<ApiVersionsRequest>(FromHex(body + "02 05 02 'xx' 09 00")));
  EXPECT_FALSE(DecodeAs<ApiVersionsRequest>(FromHex(body + "02 09 00 05 02 'xx'")));  // order
  EXPECT_FALSE(DecodeAs<ApiVersionsRequest>(FromHex(body + "02 05 00 05 00")));       // twice
  EXPECT_FALSE(DecodeAs<ApiVersionsRequest>(FromHex(body + "01 05 03 'xx'")));        // too long
  EXPECT_FALSE(DecodeAs<ApiVersionsRequest>(FromHex(body + "ffffffff0f")));           // count
  // The cluster id of a fetch request (tag 0) is a string of two bytes in a field of three.
  std::string fetch =
      "0001 000c 00000005 ffff 00 ffffffff 00000000 00000000 00000000 00 00000000"
      "00000000 01 01 01 01 00";
  auto known = DecodeAs<FetchRequest>(FromHex(fetch + "03 03 'id'"));
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ(known->cluster_id, "id");
  EXPECT_FALSE(DecodeAs<FetchRequest>(FromHex(fetch + "03 02 'id'")));  // a byte is left
  EXPECT_FALSE(DecodeAs<FetchRequest>(FromHex(fetch + "03 04 'id'")));  // past the field
}

TEST(Decoder, HostileLengthsAreRefused) {
  std::string metadata = "0003 0001 00000001 ffff ";
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(metadata + "7fffffff 0000")));
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(metadata + "fffffffe")));
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(metadata + "00000001 ffff")));  // a null name
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(metadata + "00000001 7fff 'a'")));
  std::string flexible = "0003 0009 00000001 ffff 00 ";
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(flexible + "ffffffff0f 00")));
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(flexible + "ffffffff1f 00")));  // 33 bits
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(flexible + "ffffffffffff")));
  EXPECT_FALSE(DecodeAs<MetadataRequest>(FromHex(flexible + "02 ffffffff0f")));
}

TEST(Decoder, AStringOverTheLimitIsRefused) {
  auto with_name = [](size_t bytes) {
    std::vector<uint8_t> request = FromHex("0012 0003 00000005 ffff 00");
    auto length = static_cast<uint32_t>(bytes + 1);
    for (; length >= 0x80; length >>= 7) request.push_back(static_cast<uint8_t>(length | 0x80));
    request.push_back(static_cast<uint8_t>(length));
    request.resize(request.size() + bytes, 'n');
    request.insert(request.end(), {1, 0});
    return request;
  };
  EXPECT_TRUE(DecodeAs<ApiVersionsRequest>(with_name(kMaxStringBytes)));
  EXPECT_FALSE(DecodeAs<ApiVersionsRequest>(with_name(kMaxStringBytes + 1)));
}

TEST(Decoder, ArraysOverTheLimitAreTooLarge) {
  // Each element takes two bytes of the request, an empty string, and more of memory.
  size_t elements = kMaxArrayBytes / sizeof(std::string_view);
  auto with_groups = [](size_t count) {
    std::vector<uint8_t> request = FromHex("000f 0000 00000001 ffff");
    for (int shift = 24; shift >= 0; shift -= 8) {
      request.push_back(static_cast<uint8_t>(count >> shift));
    }
    request.resize(request.size() + 2 * count);
    return request;
  };
  auto header = DecodeRequestHeader(with_groups(elements));
  ASSERT_TRUE(header);
  const MessageCase& message = MessageOf(ApiKey::kDescribeGroups, true);
  for (size_t count : {elements, elements + 1}) {
    std::vector<uint8_t> request = with_groups(count);
    auto object = message.make();
    auto decoded = internal::DecodeMessage(*message.schema, Bytes(request).subspan(10), 0, false,
                                           object.get());
    EXPECT_EQ(decoded.has_value(), count == elements);
    if (!decoded) EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
  }
}

TEST(Encoder, WhatTheProtocolCannotCarryIsRefusedAndLeavesTheFrame) {
  Frame frame;
  ASSERT_TRUE(EncodeResponse(1, 0, HeartbeatResponse{}, &frame));
  std::vector<uint8_t> before = frame.bytes;
  std::string text(kMaxStringBytes + 1, 'x');
  auto too_long = EncodeRequest({.api_version = 0}, HeartbeatRequest{.group_id = text}, &frame);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Errc::kTooLarge);
  EXPECT_FALSE(EncodeRequest({.api_version = 0, .client_id = text}, HeartbeatRequest{}, &frame));
  FetchResponse fetch = TwoPartitions();
  fetch.topics[0].partitions[1].records.left_out_bytes = kMaxFrameBytes - 1000;
  EXPECT_FALSE(EncodeResponse(1, 4, fetch, &frame));
  EXPECT_EQ(frame.bytes, before);
  EXPECT_TRUE(frame.gaps.empty());
}

}  // namespace
}  // namespace meridian::wire::kafka
