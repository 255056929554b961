#include "cli/queue/queue_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/text/base64.hpp"
#include "base/text/utf8.hpp"
#include "cli/queue/group_calls.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/offset_target.hpp"
#include "cli/queue/topic_calls.hpp"
#include "cli/report/text_table.hpp"
#include "wire/json/writer.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::cli {
namespace {

using wire::json::Writer;

constexpr size_t kIndent = 2;
constexpr size_t kShownValueBytes = 40;

std::string Number(int64_t number) { return fmt::format("{}", number); }

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string NumberOrDash(const std::optional<int64_t>& number) {
  return number ? Number(*number) : "-";
}

void Write(Writer& writer, std::string_view name, const std::optional<int64_t>& number) {
  if (number) {
    writer.Member(name, *number);
  } else {
    writer.Member(name, nullptr);
  }
}

struct Totals {
  int64_t partitions = 0;
  int64_t messages = 0;
};

std::map<std::string, Totals> TotalsOf(const Ranges& ranges) {
  std::map<std::string, Totals> topics;
  for (const auto& [partition, range] : ranges) {
    Totals& totals = topics[partition.topic];
    ++totals.partitions;
    totals.messages += range.end - range.begin;
  }
  return topics;
}

void WritePartitions(Writer& writer, const Ranges& ranges) {
  writer.BeginArray("partitions");
  for (const auto& [partition, range] : ranges) {
    writer.BeginObject();
    writer.Member("partition", partition.partition);
    writer.Member("leader", range.leader);
    writer.Member("begin", range.begin);
    writer.Member("end", range.end);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteText(Writer& writer, const std::string& name,
               const std::optional<std::string_view>& text) {
  if (!text) {
    writer.Member(name, nullptr);
  } else if (IsUtf8(*text)) {
    writer.Member(name, *text);
  } else {
    writer.Member(name + "_base64", Base64(*text));
  }
}

std::string Shown(const std::optional<std::string_view>& text) {
  if (!text) return "null";
  if (!IsUtf8(*text)) return fmt::format("{} bytes", text->size());
  if (text->size() <= kShownValueBytes) return std::string(*text);
  size_t end = kShownValueBytes;
  while (end > 0 && (static_cast<uint8_t>((*text)[end]) & 0xc0) == 0x80) --end;
  return std::string(text->substr(0, end)) + "…";
}

}  // namespace

std::string TopicsText(const Ranges& ranges) {
  TextTable table({{"TOPIC"}, {"PARTITIONS", true}, {"MESSAGES", true}});
  for (const auto& [name, totals] : TotalsOf(ranges)) {
    table.Add({name, Number(totals.partitions), Number(totals.messages)});
  }
  return table.empty() ? "There are no topics.\n" : table.Text();
}

std::string TopicsJson(const Ranges& ranges) {
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.BeginArray("topics");
  for (const auto& [name, totals] : TotalsOf(ranges)) {
    writer.BeginObject();
    writer.Member("topic", name);
    writer.Member("partitions", totals.partitions);
    writer.Member("messages", totals.messages);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

std::string TopicText(const std::string& topic, const Ranges& ranges,
                      const std::vector<ConfigEntry>& configs) {
  TextTable partitions(
      {{"PARTITION", true}, {"LEADER", true}, {"BEGIN", true}, {"END", true}, {"MESSAGES", true}});
  for (const auto& [partition, range] : ranges) {
    partitions.Add({Number(partition.partition), Number(range.leader), Number(range.begin),
                    Number(range.end), Number(range.end - range.begin)});
  }
  TextTable keys({{"KEY"}, {"VALUE"}, {"SET BY"}});
  for (const ConfigEntry& config : configs) {
    keys.Add({config.key, config.value, config.of_topic ? "topic" : "default"});
  }
  return fmt::format("{}\n\n{}\n{}", topic, partitions.Text(), keys.Text());
}

std::string TopicJson(const std::string& topic, const Ranges& ranges,
                      const std::vector<ConfigEntry>& configs) {
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.Member("topic", topic);
  WritePartitions(writer, ranges);
  writer.BeginArray("configs");
  for (const ConfigEntry& config : configs) {
    writer.BeginObject();
    writer.Member("key", config.key);
    writer.Member("value", config.value);
    writer.Member("set_by", config.of_topic ? "topic" : "default");
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

int64_t LagRow::lag() const {
  return std::max<int64_t>(end - std::max(committed.value_or(begin), begin), 0);
}

int64_t GroupLag::lag() const {
  int64_t sum = 0;
  for (const LagRow& row : rows) sum += row.lag();
  return sum;
}

GroupLag LagOf(const GroupReport& group, const Ranges& ranges) {
  GroupLag lag{.name = group.name, .state = group.state, .members = group.members.size()};
  std::map<PartitionKey, const GroupMember*> partitions;
  for (const auto& [partition, offset] : group.committed) partitions[partition] = nullptr;
  for (const GroupMember& member : group.members) {
    for (const PartitionKey& partition : member.partitions) partitions[partition] = &member;
  }
  for (const auto& [partition, member] : partitions) {
    auto range = ranges.find(partition);
    if (range == ranges.end()) continue;
    LagRow& row = lag.rows.emplace_back(
        LagRow{.partition = partition, .begin = range->second.begin, .end = range->second.end});
    auto committed = group.committed.find(partition);
    if (committed != group.committed.end()) row.committed = committed->second;
    if (member == nullptr) continue;
    row.client_id = member->client_id;
    row.host = member->host;
  }
  return lag;
}

std::string GroupsText(const std::vector<GroupLag>& groups) {
  TextTable table({{"GROUP"}, {"STATE"}, {"MEMBERS", true}, {"PARTITIONS", true}, {"LAG", true}});
  for (const GroupLag& group : groups) {
    table.Add({group.name, group.state, Number(static_cast<int64_t>(group.members)),
               Number(static_cast<int64_t>(group.rows.size())), Number(group.lag())});
  }
  return table.empty() ? "There are no groups.\n" : table.Text();
}

std::string LagText(const std::vector<GroupLag>& groups) {
  TextTable table({{"GROUP"},
                   {"TOPIC"},
                   {"PARTITION", true},
                   {"COMMITTED", true},
                   {"END", true},
                   {"LAG", true},
                   {"CONSUMER"}});
  for (const GroupLag& group : groups) {
    for (const LagRow& row : group.rows) {
      std::string consumer = OrDash(row.client_id);
      if (!row.host.empty()) consumer += " at " + row.host;
      table.Add({group.name, row.partition.topic, Number(row.partition.partition),
                 NumberOrDash(row.committed), Number(row.end), Number(row.lag()), consumer});
    }
  }
  return table.empty() ? "No group has committed an offset or consumes a topic.\n" : table.Text();
}

std::string GroupsJson(const std::vector<GroupLag>& groups) {
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.BeginArray("groups");
  for (const GroupLag& group : groups) {
    writer.BeginObject();
    writer.Member("group", group.name);
    writer.Member("state", group.state);
    writer.Member("members", group.members);
    writer.Member("lag", group.lag());
    writer.BeginArray("partitions");
    for (const LagRow& row : group.rows) {
      writer.BeginObject();
      writer.Member("topic", row.partition.topic);
      writer.Member("partition", row.partition.partition);
      Write(writer, "committed", row.committed);
      writer.Member("end", row.end);
      writer.Member("lag", row.lag());
      if (!row.client_id.empty()) writer.Member("client_id", row.client_id);
      if (!row.host.empty()) writer.Member("host", row.host);
      writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

std::string RecordJson(const PartitionKey& partition, const wire::kafka::Record& record) {
  Writer writer;
  writer.BeginObject();
  writer.Member("topic", partition.topic);
  writer.Member("partition", partition.partition);
  writer.Member("offset", record.offset);
  writer.Member("timestamp_ms", record.timestamp_ms);
  WriteText(writer, "key", record.key);
  WriteText(writer, "value", record.value);
  writer.BeginArray("headers");
  for (const wire::kafka::RecordHeader& header : record.headers) {
    writer.BeginObject();
    WriteText(writer, "key", header.key);
    WriteText(writer, "value", header.value);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

std::string MessageLine(const wire::kafka::Record& record) {
  std::string line =
      fmt::format("{:>10}  {}  {:<16}  {}", record.offset, TimeText(record.timestamp_ms),
                  Shown(record.key), Shown(record.value));
  // Control characters would do something to a terminal.
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return line + "\n";
}

std::string ChangesText(const std::vector<OffsetChange>& changes) {
  TextTable table(
      {{"TOPIC"}, {"PARTITION", true}, {"BEFORE", true}, {"AFTER", true}, {"END", true}});
  for (const OffsetChange& change : changes) {
    table.Add({change.partition.topic, Number(change.partition.partition),
               NumberOrDash(change.before), Number(change.after), Number(change.end)});
  }
  return table.Text();
}

std::string ChangesJson(const std::string& group, const std::vector<OffsetChange>& changes,
                        bool dry_run) {
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.Member("group", group);
  writer.Member("dry_run", dry_run);
  writer.BeginArray("partitions");
  for (const OffsetChange& change : changes) {
    writer.BeginObject();
    writer.Member("topic", change.partition.topic);
    writer.Member("partition", change.partition.partition);
    Write(writer, "before", change.before);
    writer.Member("after", change.after);
    writer.Member("end", change.end);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

std::vector<std::string> LetterCells(const PartitionKey& partition,
                                     const wire::kafka::Record& record) {
  return {Number(partition.partition), Number(record.offset), TimeText(record.timestamp_ms),
          Shown(record.key), Shown(record.value)};
}

}  // namespace meridian::cli
