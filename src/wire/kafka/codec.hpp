// Decode and Encode: the bodies of Kafka's requests and responses, each a plain struct of messages/
// whose Schema (schema.hpp) says which fields its versions have. Pure; any thread.
//
// Decoding never allocates more than kMaxArrayBytes, and copies nothing but numbers: strings, bytes
// and record sets are views, valid as long as the input. A field that a version does not have keeps
// the default of its struct. Tagged fields that the schema does not know are skipped.
//
// Encoding leaves out fields that the version does not have. A null where the version has none is
// written as empty, as Kafka's brokers do for old clients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::wire::kafka {

struct Schema;

using Uuid = std::array<uint8_t, 16>;  // all zero: none

// Record batches, end to end. Decoded: `bytes` is a view into the message, empty for null. Encoded:
// `bytes` is copied; or, where `left_out_bytes` is not 0, only that length is written, and the
// frame has a gap for the record set.
struct RecordSet {
  Bytes bytes;
  size_t left_out_bytes = 0;
};

// Encoded bytes, and where the record sets that were left out belong.
struct Frame {
  struct Gap {
    size_t position = 0;  // in `bytes`: the record set comes before the byte at this index
    size_t bytes = 0;
  };

  std::vector<uint8_t> bytes;
  std::vector<Gap> gaps;  // in ascending order of their positions
};

namespace internal {

Result<> DecodeMessage(const Schema& schema, Bytes body, int16_t version, bool flexible,
                       void* message);
Result<> EncodeMessage(const Schema& schema, const void* message, int16_t version, bool flexible,
                       Frame* out);

}  // namespace internal

}  // namespace meridian::wire::kafka
