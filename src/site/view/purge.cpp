#include "site/view/purge.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "site/limits.hpp"
#include "site/view/json_reader.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::site {
namespace {

using wire::json::Value;
using wire::json::Writer;

constexpr std::array kKinds = {PurgeKind::kUrl, PurgeKind::kPrefix, PurgeKind::kTag};

// Reads a message: `read` reads the fields; errors that it records become the result.
template <class T, class Read>
Result<T> Decode(std::string_view text, std::string name, Read read) {
  Result<Value> object = ParseObject(text, kMaxPurgeMessageBytes);
  if (!object) return Fail(std::move(object.error()));
  std::optional<Error> error;
  JsonReader reader(*object, std::move(name), &error);
  T value = read(reader);
  if (error) return Fail(*std::move(error));
  return value;
}

PurgeOrder ReadOrder(JsonReader& reader) {
  PurgeOrder order;
  std::string kind = reader.Text("kind", kMaxPurgeKindBytes);
  const auto* known = std::ranges::find(kKinds, kind, KindName);
  if (known == kKinds.end()) {
    reader.Reject(Errc::kInvalid, "kind", "expected url, prefix or tag");
  } else {
    order.kind = *known;
  }
  order.value = reader.Text("value", kMaxPurgeValueBytes);
  order.soft = reader.Boolean("soft");
  Result<void> good = CheckPurge(order);
  if (!good) reader.Reject(good.error().code, "value", good.error().message);
  return order;
}

PurgeEntry ReadEntry(JsonReader& reader) {
  PurgeEntry entry{.number = reader.Unsigned("number"), .order = ReadOrder(reader)};
  if (entry.number == 0) reader.Reject(Errc::kInvalid, "number", "numbers begin at 1");
  return entry;
}

// The members of objects are in the order of their names.
void WriteEntry(const PurgeEntry& entry, Writer& writer) {
  writer.BeginObject();
  writer.Member("kind", KindName(entry.order.kind));
  writer.Member("number", entry.number);
  writer.Member("soft", entry.order.soft);
  writer.Member("value", entry.order.value);
  writer.EndObject();
}

Result<void> CheckUrl(std::string_view url) {
  if (url.starts_with('/')) return {};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (url.starts_with(scheme) && url.size() > scheme.size()) return {};
  }
  return Fail(Errc::kInvalid, "expected http://host/path, https://host/path or /path");
}

}  // namespace

std::string_view KindName(PurgeKind kind) {
  switch (kind) {
    case PurgeKind::kUrl:
      return "url";
    case PurgeKind::kPrefix:
      return "prefix";
    case PurgeKind::kTag:
      return "tag";
  }
  return "";
}

Result<void> CheckPurge(const PurgeOrder& order) {
  if (order.value.empty()) return Fail(Errc::kInvalid, "it is empty");
  if (order.value.size() > kMaxPurgeValueBytes) {
    return Fail(Errc::kTooLarge, "longer than {} bytes", kMaxPurgeValueBytes);
  }
  // URLs contain only these characters, and tags are separated by others.
  bool plain = std::ranges::all_of(order.value, [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain) return Fail(Errc::kInvalid, "it may contain only visible ASCII characters");
  return order.kind == PurgeKind::kTag ? Result<void>{} : CheckUrl(order.value);
}

std::string ToJson(const PurgeOrder& order) {
  Writer writer;
  writer.BeginObject();
  writer.Member("kind", KindName(order.kind));
  writer.Member("soft", order.soft);
  writer.Member("value", order.value);
  writer.EndObject();
  return writer.Take();
}

Result<PurgeOrder> ReadPurgeOrder(std::string_view text) {
  return Decode<PurgeOrder>(text, "purge", ReadOrder);
}

std::string ToJson(const PurgeEntry& entry) {
  Writer writer;
  WriteEntry(entry, writer);
  return writer.Take();
}

Result<PurgeEntry> ReadPurgeEntry(std::string_view text) {
  return Decode<PurgeEntry>(text, "entry", ReadEntry);
}

std::string ToJson(const PurgePoll& poll) {
  Writer writer;
  writer.BeginObject();
  writer.Member("after", poll.after);
  writer.BeginArray("applied");
  for (const auto& each : poll.applied) {
    writer.BeginObject();
    writer.Member("number", each.number);
    writer.Member("objects", each.objects);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Member("edge", poll.edge);
  writer.Member("journal", poll.journal);
  writer.EndObject();
  return writer.Take();
}

Result<PurgePoll> ReadPurgePoll(std::string_view text) {
  return Decode<PurgePoll>(text, "poll", [](JsonReader& reader) {
    PurgePoll poll{.edge = reader.Text("edge", kMaxLabelBytes),
                   .journal = reader.Unsigned("journal"),
                   .after = reader.Unsigned("after")};
    for (JsonReader& each : reader.Objects("applied", kMaxPurgesInAnswer)) {
      poll.applied.push_back(
          {.number = each.Unsigned("number"), .objects = each.Unsigned("objects")});
    }
    return poll;
  });
}

std::string ToJson(const PurgePollAnswer& answer) {
  Writer writer;
  writer.BeginObject();
  writer.BeginArray("entries");
  for (const PurgeEntry& entry : answer.entries) WriteEntry(entry, writer);
  writer.EndArray();
  writer.Member("journal", answer.journal);
  writer.Member("newest", answer.newest);
  writer.Member("oldest", answer.oldest);
  writer.EndObject();
  return writer.Take();
}

Result<PurgePollAnswer> ReadPurgePollAnswer(std::string_view text) {
  return Decode<PurgePollAnswer>(text, "answer", [](JsonReader& reader) {
    PurgePollAnswer answer{.journal = reader.Unsigned("journal"),
                           .oldest = reader.Unsigned("oldest"),
                           .newest = reader.Unsigned("newest")};
    for (JsonReader& each : reader.Objects("entries", kMaxPurgesInAnswer)) {
      answer.entries.push_back(ReadEntry(each));
    }
    if (answer.journal == 0) reader.Reject(Errc::kInvalid, "journal", "a journal is never 0");
    for (size_t i = 1; i < answer.entries.size(); ++i) {
      if (answer.entries[i].number == answer.entries[i - 1].number + 1) continue;
      reader.Reject(Errc::kInvalid, "entries", "their numbers do not grow by one");
    }
    return answer;
  });
}

bool PurgeReport::complete() const {
  return std::ranges::all_of(edges, [](const Edge& edge) { return edge.objects.has_value(); });
}

std::string ToJson(const PurgeReport& report) {
  Writer writer;
  writer.BeginObject();
  writer.BeginArray("edges");
  for (const PurgeReport::Edge& edge : report.edges) {
    writer.BeginObject();
    writer.Member("answered", edge.objects.has_value());
    writer.Member("milliseconds", edge.milliseconds);
    writer.Member("name", edge.name);
    writer.Member("objects", edge.objects.value_or(0));
    writer.EndObject();
  }
  writer.EndArray();
  writer.Member("number", report.number);
  writer.EndObject();
  return writer.Take();
}

Result<PurgeReport> ReadPurgeReport(std::string_view text) {
  return Decode<PurgeReport>(text, "report", [](JsonReader& reader) {
    PurgeReport report{.number = reader.Unsigned("number")};
    for (JsonReader& each : reader.Objects("edges", kMaxDataCenters)) {
      PurgeReport::Edge edge{.name = each.Text("name", kMaxLabelBytes)};
      bool answered = each.Boolean("answered");
      uint64_t objects = each.Unsigned("objects");
      if (answered) edge.objects = objects;
      edge.milliseconds = each.Unsigned("milliseconds");
      report.edges.push_back(std::move(edge));
    }
    return report;
  });
}

}  // namespace meridian::site
