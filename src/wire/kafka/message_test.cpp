// Every message in every version, by its table.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/message_fixture.hpp"
#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {
namespace {

using Nulls = MessageFiller::Nulls;

Result<std::vector<uint8_t>> Encode(const MessageCase& message, const void* object,
                                    int16_t version) {
  Frame frame;
  auto done = internal::EncodeMessage(*message.schema, object, version,
                                      message.api->flexible(version), &frame);
  if (!done) return Fail(done.error());
  return frame.bytes;
}

std::shared_ptr<void> Decode(const MessageCase& message, Bytes body, int16_t version) {
  auto object = message.make();
  auto done = internal::DecodeMessage(*message.schema, body, version,
                                      message.api->flexible(version), object.get());
  return done ? object : nullptr;
}

// Calls `visit(message, version)` for every version of every message.
void ForEachVersion(const auto& visit) {
  for (const MessageCase& message : AllMessages()) {
    for (int16_t version = message.api->min_version; version <= message.api->max_version;
         ++version) {
      SCOPED_TRACE(message.name() + " version " + std::to_string(version));
      visit(message, version);
    }
  }
}

std::vector<uint8_t> Filled(const MessageCase& message, int16_t version, Nulls nulls) {
  MessageFiller filler(version, nulls);
  auto object = message.make();
  filler.Fill(*message.schema, object.get());
  auto bytes = Encode(message, object.get(), version);
  EXPECT_TRUE(bytes);
  return bytes ? *bytes : std::vector<uint8_t>{};
}

TEST(Messages, EveryFieldSurvivesInEveryVersion) {
  for (Nulls nulls : {Nulls::kNone, Nulls::kAll}) {
    ForEachVersion([&](const MessageCase& message, int16_t version) {
      std::vector<uint8_t> bytes = Filled(message, version, nulls);
      auto decoded = Decode(message, bytes, version);
      ASSERT_NE(decoded, nullptr);
      EXPECT_EQ(Encode(message, decoded.get(), version), bytes);
    });
  }
}

TEST(Messages, EveryTruncationIsRefused) {
  ForEachVersion([](const MessageCase& message, int16_t version) {
    std::vector<uint8_t> bytes = Filled(message, version, Nulls::kNone);
    for (size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own size, so that the sanitizer sees a read past the end.
      std::vector<uint8_t> shorter(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_EQ(Decode(message, shorter, version), nullptr) << size << " of " << bytes.size();
    }
    bytes.push_back(0);
    EXPECT_EQ(Decode(message, bytes, version), nullptr) << "a byte more";
  });
}

TEST(Messages, NoCorruptByteMakesTheDecoderReadOutside) {
  ForEachVersion([](const MessageCase& message, int16_t version) {
    std::vector<uint8_t> bytes = Filled(message, version, Nulls::kNone);
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (uint8_t value : {uint8_t{0}, uint8_t{0x7f}, uint8_t{0x80}, uint8_t{0xff}}) {
        uint8_t before = bytes[at];
        bytes[at] = value;
        auto decoded = Decode(message, bytes, version);
        if (decoded != nullptr) EXPECT_TRUE(Encode(message, decoded.get(), version));
        bytes[at] = before;
      }
    }
  });
}

// What the tables of a message must obey for the codec to work, checked in structs inside too.
void ExpectConsistent(const Schema& schema) {
  int16_t last_tag = -1;
  for (const Field& field : schema.fields) {
    EXPECT_LE(field.versions.from, field.versions.to);
    bool nullable = field.versions.nullable_from != kNoVersion;
    bool is_records = field.type.kind == Type::Kind::kRecords;
    bool is_array = field.type.kind == Type::Kind::kArray;
    if (field.tagged()) {
      EXPECT_GT(field.versions.tag, last_tag);
      EXPECT_TRUE(field.optional != nullptr || is_array);
      last_tag = field.versions.tag;
    } else {
      EXPECT_EQ(last_tag, -1) << "tagged fields come last";
      EXPECT_EQ(field.optional != nullptr || is_records, nullable);
    }
    if (field.type.schema != nullptr) ExpectConsistent(*field.type.schema);
    if (is_array && field.type.array->element.schema != nullptr) {
      ExpectConsistent(*field.type.array->element.schema);
    }
  }
}

TEST(Messages, TablesAreConsistent) {
  for (const MessageCase& message : AllMessages()) {
    SCOPED_TRACE(message.name());
    ExpectConsistent(*message.schema);
  }
}

TEST(Messages, EverySupportedApiHasARequestAndAResponse) {
  std::set<ApiKey> requests;
  std::set<ApiKey> responses;
  for (const MessageCase& message : AllMessages()) {
    (message.is_request ? requests : responses).insert(message.api->key);
  }
  std::set<ApiKey> supported;
  for (const ApiDescription& api : SupportedApis()) {
    supported.insert(api.key);
    EXPECT_LE(api.min_version, api.max_version);
    EXPECT_GE(api.served_from, api.min_version);
  }
  EXPECT_EQ(requests, supported);
  EXPECT_EQ(responses, supported);
}

}  // namespace
}  // namespace meridian::wire::kafka
