#include "wire/kafka/messages/consumer_protocol.hpp"

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/cursor.hpp"
#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {
namespace {

constexpr int16_t kMaxProtocolVersion = 3;

template <class Message>
Result<Message> Decode(Bytes bytes) {
  Cursor cursor(bytes);
  int16_t version = cursor.I16();
  if (!cursor.ok() || version < 0 || version > kMaxProtocolVersion) {
    return Fail(Errc::kInvalid, "consumer protocol of version {}", version);
  }
  Message message;
  auto done = internal::DecodeMessage(Message::kSchema, bytes.last(cursor.remaining()), version,
                                      /*flexible=*/false, &message);
  if (!done) return Fail(done.error());
  return message;
}

}  // namespace

constexpr Schema ConsumerPartitions::kSchema{{
    Of<&ConsumerPartitions::topic>(),
    Of<&ConsumerPartitions::partitions>(),
}};

constexpr Schema ConsumerSubscription::kSchema{{
    Of<&ConsumerSubscription::topics>(),
    Of<&ConsumerSubscription::user_data>({.nullable_from = 0}),
    Of<&ConsumerSubscription::owned_partitions>({.from = 1}),
    Of<&ConsumerSubscription::generation_id>({.from = 2}),
    Of<&ConsumerSubscription::rack_id>({.from = 3, .nullable_from = 3}),
}};

constexpr Schema ConsumerAssignment::kSchema{{
    Of<&ConsumerAssignment::assigned_partitions>(),
    Of<&ConsumerAssignment::user_data>({.nullable_from = 0}),
}};

Result<ConsumerSubscription> DecodeSubscription(Bytes metadata) {
  return Decode<ConsumerSubscription>(metadata);
}

Result<ConsumerAssignment> DecodeAssignment(Bytes assignment) {
  return Decode<ConsumerAssignment>(assignment);
}

}  // namespace meridian::wire::kafka
