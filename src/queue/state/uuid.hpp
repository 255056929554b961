// Topic ids: as the engine keeps them, and as the protocol has them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "queue/state/journal_record.hpp"
#include "wire/kafka/codec.hpp"

namespace meridian::queue {

inline wire::kafka::Uuid ToWire(const TopicUuid& uuid) {
  wire::kafka::Uuid bytes{};
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(uuid.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<uint8_t>(uuid.low >> (56 - 8 * i));
  }
  return bytes;
}

inline TopicUuid FromWire(const wire::kafka::Uuid& bytes) {
  TopicUuid uuid;
  for (size_t i = 0; i < 8; ++i) {
    uuid.high = uuid.high << 8 | bytes[i];
    uuid.low = uuid.low << 8 | bytes[8 + i];
  }
  return uuid;
}

}  // namespace meridian::queue
