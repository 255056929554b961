#include "cli/queue/republish/batch_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <ios>
#include <string>
#include <system_error>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cli/queue/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::cli {

namespace kafka = wire::kafka;

Result<BatchFile> BatchFile::Open(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  // A folder opens, and cannot be read.
  if (file) file.peek();
  if (file.bad() || !file.is_open()) {
    return Fail(errno == ENOENT ? Errc::kNotFound : Errc::kIo, "{}: {}", path,
                std::generic_category().message(errno));
  }
  file.clear();
  return BatchFile(path, std::move(file));
}

Result<size_t> BatchFile::Read(MutableBytes into) {
  file_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
  if (file_.bad()) return Fail(Errc::kIo, "{}: byte {} cannot be read", path_, next_);
  return static_cast<size_t>(file_.gcount());
}

Result<Bytes> BatchFile::Next() {
  position_ = next_;
  batch_.resize(kafka::kBatchHeaderBytes);
  auto got = Read(batch_);
  if (!got) return Fail(std::move(got.error()));
  if (*got == 0) return Bytes();
  auto header = kafka::ReadBatchHeader(Bytes(batch_).first(*got));
  if (!header) {
    return Fail(Errc::kInvalid, "{}: no batch of messages is at byte {}: {}", path_, position_,
                header.error().message);
  }
  if (header->bytes > kMaxFileBatchBytes) {
    return Fail(Errc::kInvalid, "{}: no batch of messages is at byte {}: it has {} bytes", path_,
                position_, header->bytes);
  }
  batch_.resize(std::max(header->bytes, batch_.size()));
  got = Read(MutableBytes(batch_).subspan(kafka::kBatchHeaderBytes));
  if (!got) return Fail(std::move(got.error()));
  auto checked = kafka::CheckStoredBatch(Bytes(batch_).first(kafka::kBatchHeaderBytes + *got));
  if (!checked) {
    return Fail(Errc::kInvalid, "{}: the batch at byte {} is damaged: {}", path_, position_,
                checked.error().message);
  }
  next_ += batch_.size();
  return Bytes(batch_);
}

}  // namespace meridian::cli
