// For tests: records in one line.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "store/log/record.hpp"

namespace meridian::store {

struct TestRecord {
  uint64_t offset = 0;
  std::string body = "body";
  uint32_t span = 1;
  uint32_t above_synced = 0;
  HybridTime time = {};
  uint32_t epoch = 0;
};

inline std::vector<uint8_t> Encoded(const std::vector<TestRecord>& records) {
  std::vector<uint8_t> bytes;
  for (const TestRecord& record : records) {
    AppendRecord({.offset = record.offset,
                  .time = record.time,
                  .epoch = record.epoch,
                  .span = record.span,
                  .above_synced = record.above_synced,
                  .body = AsBytes(record.body)},
                 bytes);
  }
  return bytes;
}

}  // namespace meridian::store
