// Parsers of the kernel's files about one process (proc(5)), and the tree that processes form.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace meridian::agent {

struct ProcessStat {
  pid_t parent = 0;
  bool ended = false;      // a zombie: it has no memory and no descriptors
  uint64_t cpu_ticks = 0;  // user and system, with those of ended children that it waited for
  uint64_t threads = 0;
  uint64_t resident_pages = 0;
};

// /proc/PID/stat. The name of the program in it may be anything.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

// The soft limit of open files of /proc/PID/limits; nothing also if there is no limit.
std::optional<uint64_t> ParseDescriptorLimit(std::string_view text);

// The living processes of a host, and the children of each.
class ProcessTable {
 public:
  void Add(pid_t pid, const ProcessStat& stat);
  size_t size() const { return all_.size(); }
  // Null: it does not live.
  const ProcessStat* Find(pid_t pid) const;
  // `root` and its descendants; empty if `root` does not live.
  std::vector<pid_t> Tree(pid_t root) const;

 private:
  std::map<pid_t, ProcessStat> all_;
  std::multimap<pid_t, pid_t> children_;
};

}  // namespace meridian::agent
