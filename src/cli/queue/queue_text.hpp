// What the `meridian queue` commands print: tables for people, JSON for programs. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/queue/group_calls.hpp"
#include "cli/queue/topic_calls.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::cli {

std::string TopicsText(const Ranges& ranges);
std::string TopicsJson(const Ranges& ranges);

// One topic.
std::string TopicText(const std::string& topic, const Ranges& ranges,
                      const std::vector<ConfigEntry>& configs);
std::string TopicJson(const std::string& topic, const Ranges& ranges,
                      const std::vector<ConfigEntry>& configs);

// A partition that a group has committed an offset for, or consumes.
struct LagRow {
  PartitionKey partition;
  std::optional<int64_t> committed;  // nothing: no offset yet
  int64_t begin = 0;
  int64_t end = 0;
  std::string client_id;  // of the member that consumes it; empty: none does
  std::string host;

  // Messages that the group has not read. Without a committed offset: all of the partition.
  int64_t lag() const;
};
struct GroupLag {
  std::string name;
  std::string state;
  size_t members = 0;
  std::vector<LagRow> rows;

  int64_t lag() const;
};
// `ranges` has the partitions of all topics; a committed offset of a topic that is gone is left
// out.
GroupLag LagOf(const GroupReport& group, const Ranges& ranges);

std::string GroupsText(const std::vector<GroupLag>& groups);
std::string LagText(const std::vector<GroupLag>& groups);
std::string GroupsJson(const std::vector<GroupLag>& groups);

// One line of JSON, with its newline. Texts that are not UTF-8 are in `key_base64` and so on.
std::string RecordJson(const PartitionKey& partition, const wire::kafka::Record& record);

// A line for people: offset, time, key, and the beginning of the value.
std::string MessageLine(const wire::kafka::Record& record);

// A change of a group's offsets.
struct OffsetChange {
  PartitionKey partition;
  std::optional<int64_t> before;
  int64_t after = 0;
  int64_t end = 0;
};
std::string ChangesText(const std::vector<OffsetChange>& changes);
std::string ChangesJson(const std::string& group, const std::vector<OffsetChange>& changes,
                        bool dry_run);

// A dead letter: where it is, its time, key, and the beginning of its value.
std::vector<std::string> LetterCells(const PartitionKey& partition,
                                     const wire::kafka::Record& record);

}  // namespace meridian::cli
