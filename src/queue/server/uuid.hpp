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

}  // namespace meridian::queue
