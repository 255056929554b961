// BatchFile: reads a file of Kafka batches, one after the other, a batch at a time: such as what
// the queue sets aside. Memory is bounded by the largest batch. One thread.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::cli {

class BatchFile {
 public:
  // kNotFound, kIo: it cannot be opened.
  static Result<BatchFile> Open(const std::string& path);

  // The next batch, which is whole and has the right checksum; empty at the end. kInvalid: the file
  // is damaged or holds something else; the message names the byte. kIo.
  Result<Bytes> Next();
  // Where the batch begins that Next has returned.
  uint64_t position() const { return position_; }

 private:
  BatchFile(std::string path, std::ifstream file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Result<size_t> Read(MutableBytes into);

  std::string path_;
  std::ifstream file_;
  std::vector<uint8_t> batch_;
  uint64_t position_ = 0;
  uint64_t next_ = 0;
};

}  // namespace meridian::cli
