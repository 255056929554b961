#include "agent/host/process_text.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "agent/host/whole_lines.hpp"

namespace meridian::agent {

// "12 (name) S 1 …": the fields that follow the name are numbered from 3 in proc(5).
std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  constexpr size_t kState = 3, kParent = 4, kFirstTime = 14, kLastTime = 17, kThreads = 20,
                   kResident = 24;
  const size_t name_end = text.rfind(") ");
  if (name_end == text.npos || !text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const std::vector<std::string_view> fields = Fields(text.substr(name_end + 2));
  if (fields.size() <= kResident - kState) return std::nullopt;
  auto number = [&](size_t field) { return WholeNumber(fields[field - kState]); };
  ProcessStat stat{.ended = fields[0] == "Z" || fields[0] == "X"};
  const std::optional<uint64_t> parent = number(kParent);
  const std::optional<uint64_t> threads = number(kThreads);
  const std::optional<uint64_t> resident = number(kResident);
  if (!parent || *parent > std::numeric_limits<pid_t>::max() || !threads || !resident) {
    return std::nullopt;
  }
  for (size_t field = kFirstTime; field <= kLastTime; ++field) {
    const std::optional<uint64_t> ticks = number(field);
    if (!ticks) return std::nullopt;
    stat.cpu_ticks += *ticks;
  }
  stat.parent = static_cast<pid_t>(*parent);
  stat.threads = *threads;
  stat.resident_pages = *resident;
  return stat;
}

std::optional<uint64_t> ParseDescriptorLimit(std::string_view text) {
  for (std::string_view line : WholeLines(text)) {
    if (!line.starts_with("Max open files ")) continue;
    const std::vector<std::string_view> fields = Fields(line);
    return fields.size() < 4 ? std::nullopt : WholeNumber(fields[3]);
  }
  return std::nullopt;
}

void ProcessTable::Add(pid_t pid, const ProcessStat& stat) {
  if (stat.ended || !all_.emplace(pid, stat).second) return;
  children_.emplace(stat.parent, pid);
}

const ProcessStat* ProcessTable::Find(pid_t pid) const {
  auto found = all_.find(pid);
  return found == all_.end() ? nullptr : &found->second;
}

// The processes were not read at one moment. A number that was used anew in between could close a
// circle, so each is taken once.
std::vector<pid_t> ProcessTable::Tree(pid_t root) const {
  if (Find(root) == nullptr) return {};
  std::vector<pid_t> tree = {root};
  std::set<pid_t> taken = {root};
  for (size_t i = 0; i < tree.size(); ++i) {
    auto [first, last] = children_.equal_range(tree[i]);
    for (auto child = first; child != last; ++child) {
      if (taken.insert(child->second).second) tree.push_back(child->second);
    }
  }
  return tree;
}

}  // namespace meridian::agent
