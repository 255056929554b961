// A response of the Kafka protocol that is ready to be sent: bytes in memory, and ranges of segment
// files that the kernel sends from its page cache. Values; moved between loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/file/disk.hpp"

namespace meridian::queue {

// Sent after the bytes of its piece; none when `file` is null.
struct FilePart {
  std::shared_ptr<io::File> file;
  uint64_t position = 0;
  size_t bytes = 0;
};

struct ResponsePiece {
  std::vector<uint8_t> bytes;
  FilePart file = {};
};

// In order, with the length of the frame at the front.
struct Response {
  std::vector<ResponsePiece> pieces;
};

}  // namespace meridian::queue
