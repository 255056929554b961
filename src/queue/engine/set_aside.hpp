// Files of messages that do not count any more, because the home of their topic has moved before
// they were mirrored: Kafka batches, one after the other, named after the partition, the offset of
// the first and the epoch that has replaced them. `meridian queue recover` reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::queue {

// The name of such a file: "orders-3-from-42-before-epoch-66.batches".
struct SetAsideName {
  std::string topic;
  uint32_t partition = 0;
  int64_t from_offset = 0;
  int32_t epoch = 0;

  bool operator==(const SetAsideName&) const = default;
};
std::string SetAsideFileName(std::string_view partition, int64_t from_offset, int32_t epoch);
// Nothing: it is no such name. A topic may have any of these words in its own name.
std::optional<SetAsideName> ParseSetAsideFileName(std::string_view name);

struct SetAsideOptions {
  std::string folder;     // made if it does not exist; its parent must exist
  std::string partition;  // such as "orders-3"
  int64_t from_offset = 0;
  int32_t epoch = 0;
  uint64_t headroom_bytes = 0;  // stay free on the disk
};

struct SetAsideFile {
  std::string path;
  uint64_t bytes = 0;
  std::string problem;  // why some could not be read. Empty: all is in the file
};

// Writes and syncs the file, with all of the log from `from_offset` on. A file of that name from an
// earlier try stays as it is. kUnavailable: the disk has no room.
io::Task<Result<SetAsideFile>> WriteSetAsideFile(io::Disk& disk, PartitionLog& log,
                                                 SetAsideOptions options);

}  // namespace meridian::queue
