#include "watch/log/remote/search_message.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/printable.hpp"
#include "watch/log/remote/limits.hpp"
#include "watch/log/remote/message_fields.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::watch {
namespace {

using wire::json::Value;
using wire::json::Writer;

constexpr uint64_t kAnyNumber = std::numeric_limits<uint64_t>::max();
// Names, numbers and punctuation of an entry, beside its texts.
constexpr size_t kEntryOverhead = 512;
// Room for what a page has beside its entries: its problems, each byte escaped as two.
constexpr size_t kPageOverhead = (kMaxListedProblems * kMaxProblemBytes * 2) + 4096;

constexpr std::array<std::pair<std::string_view, LogOrder>, 3> kOrders = {
    {{"newest", LogOrder::kNewestFirst},
     {"oldest", LogOrder::kOldestFirst},
     {"arrival", LogOrder::kArrival}}};

constexpr std::array<std::pair<std::string_view, std::string LogOrigin::*>, 6> kOriginFields = {
    {{"dc", &LogOrigin::dc},
     {"host", &LogOrigin::host},
     {"instance", &LogOrigin::instance},
     {"name", &LogOrigin::name},
     {"release", &LogOrigin::release},
     {"tier", &LogOrigin::tier}}};

int64_t Count(LogTime time) { return time.time_since_epoch().count(); }

void WriteOrigin(const LogOrigin& origin, Writer& writer) {
  for (const auto& [name, field] : kOriginFields) {
    if (!(origin.*field).empty()) writer.Member(name, origin.*field);
  }
}

LogOrigin ReadOrigin(MessageFields& fields) {
  LogOrigin origin;
  for (const auto& [name, field] : kOriginFields) {
    origin.*field = fields.Text(name, kMaxOriginFieldBytes);
  }
  return origin;
}

void WritePosition(std::string_view name, const LogPosition& position, Writer& writer) {
  writer.BeginObject(name);
  writer.Member("rank", position.rank);
  writer.Member("tie", position.tie);
  writer.EndObject();
}

std::optional<LogPosition> ReadPosition(std::string_view name, MessageFields& parent,
                                        std::optional<Error>* error) {
  const Value* object = parent.Object(name);
  if (object == nullptr) return std::nullopt;
  MessageFields fields(*object, error);
  std::optional<int64_t> rank = fields.Integer("rank");
  std::optional<uint64_t> tie = fields.Unsigned("tie", kAnyNumber);
  if (rank && tie) return LogPosition{.rank = *rank, .tie = *tie};
  fields.Reject(Errc::kInvalid, name, "a position has rank and tie");
  return std::nullopt;
}

size_t MessageBytes(const LogEntry& entry) {
  size_t texts = entry.text.size() + entry.fields.size() + entry.trace_id.size();
  for (const auto& [name, field] : kOriginFields) texts += (entry.origin.*field).size();
  return kEntryOverhead + (2 * texts);
}

void WriteEntry(const LogEntry& entry, Writer& writer) {
  writer.BeginObject();
  writer.Member("arrival", Count(entry.arrival));
  if (!entry.fields.empty()) writer.Member("fields", entry.fields);
  writer.Member("level", static_cast<uint8_t>(entry.severity));
  if (entry.marks.bits() != 0) writer.Member("marks", entry.marks.bits());
  WriteOrigin(entry.origin, writer);
  writer.Member("sequence", entry.sequence);
  writer.Member("text", entry.text);
  writer.Member("time", Count(entry.time));
  if (!entry.trace_id.empty()) writer.Member("trace", entry.trace_id);
  writer.EndObject();
}

LogEntry ReadEntry(const Value& value, std::optional<Error>* error) {
  MessageFields fields(value, error);
  LogEntry entry;
  std::optional<LogTime> arrival = fields.Time("arrival");
  std::optional<LogTime> time = fields.Time("time");
  std::optional<uint64_t> sequence = fields.Unsigned("sequence", kAnyNumber);
  if (!arrival || !time || !sequence) {
    fields.Reject(Errc::kInvalid, "entry", "it has no time, arrival or sequence");
    return entry;
  }
  entry.arrival = *arrival;
  entry.time = *time;
  entry.sequence = *sequence;
  entry.origin = ReadOrigin(fields);
  entry.severity = static_cast<Severity>(fields.Unsigned("level", kMaxSeverity).value_or(0));
  entry.marks =
      EntryMarks(static_cast<uint8_t>(fields.Unsigned("marks", kAllEntryMarks).value_or(0)));
  entry.trace_id = fields.Text("trace", kMaxTraceIdBytes);
  entry.text = fields.Text("text", kMaxEntryBytes);
  entry.fields = fields.Text("fields", kMaxEntryBytes);
  return entry;
}

// How many of the page's entries fit into a message; one always does.
size_t FittingEntries(const LogPage& page) {
  size_t bytes = kPageOverhead;
  size_t count = 0;
  for (const LogEntry& entry : page.entries) {
    bytes += MessageBytes(entry);
    if (bytes > kMaxPageMessageBytes) break;
    ++count;
  }
  return count;
}

static_assert(kPageOverhead + kEntryOverhead + (2 * (kMaxEntryBytes + (7 * kMaxOriginFieldBytes))) <
              kMaxPageMessageBytes);

LogOrder ReadOrder(MessageFields& fields) {
  std::string name = fields.Text("order", kMaxOriginFieldBytes);
  const auto* known =
      std::ranges::find(kOrders, name, [](const auto& order) { return order.first; });
  if (known != kOrders.end()) return known->second;
  fields.Reject(Errc::kInvalid, "order", "expected newest, oldest or arrival");
  return LogOrder::kNewestFirst;
}

// A position says nothing to another order, so the order's name goes with each query.
std::string_view OrderName(LogOrder order) {
  const auto* known =
      std::ranges::find(kOrders, order, [](const auto& pair) { return pair.second; });
  return known == kOrders.end() ? "" : known->first;
}

// Terms are folded and separated again, so that a peer cannot send what ParseTerms never gives.
std::vector<std::string> ReadTerms(MessageFields& fields) {
  std::vector<std::string> terms;
  for (const std::string& text : fields.Texts("terms", kMaxSearchTerms, kMaxSearchTermBytes)) {
    Result<std::vector<std::string>> parsed = ParseTerms(text);
    if (!parsed || parsed->size() != 1) {
      fields.Reject(Errc::kInvalid, "terms", "an element is not one word");
      return {};
    }
    terms.push_back(std::move(parsed->front()));
  }
  return terms;
}

}  // namespace

std::string ToJson(const LogQuery& query) {
  Writer writer;
  writer.BeginObject();
  if (query.after) WritePosition("after", *query.after, writer);
  if (query.from) writer.Member("from", Count(*query.from));
  writer.Member("level", static_cast<uint8_t>(query.at_least));
  writer.Member("limit", query.limit);
  writer.Member("order", OrderName(query.order));
  WriteOrigin(query.origin, writer);
  if (!query.terms.empty()) {
    writer.BeginArray("terms");
    for (const std::string& term : query.terms) writer.Element(term);
    writer.EndArray();
  }
  if (!query.trace_id.empty()) writer.Member("trace", query.trace_id);
  if (query.until) writer.Member("until", Count(*query.until));
  writer.EndObject();
  return writer.Take();
}

Result<LogQuery> ReadLogQuery(std::string_view json) {
  Result<Value> object = wire::json::Parse(json, kMaxQueryMessageBytes);
  if (!object) return Fail(std::move(object.error()));
  std::optional<Error> error;
  MessageFields fields(*object, &error);
  LogQuery query;
  query.terms = ReadTerms(fields);
  query.from = fields.Time("from");
  query.until = fields.Time("until");
  query.origin = ReadOrigin(fields);
  query.trace_id = fields.Text("trace", kMaxTraceIdBytes);
  query.at_least = static_cast<Severity>(
      fields.Unsigned("level", kMaxSeverity).value_or(static_cast<uint8_t>(query.at_least)));
  query.order = ReadOrder(fields);
  query.limit = fields.Unsigned("limit", kMaxPageEntries).value_or(query.limit);
  if (query.limit == 0) fields.Reject(Errc::kInvalid, "limit", "a page has one entry at least");
  query.after = ReadPosition("after", fields, &error);
  fields.RejectOthers();
  if (error) return Fail(*std::move(error));
  return query;
}

std::string ToJson(const LogPage& page, LogOrder order) {
  const size_t count = FittingEntries(page);
  const bool whole = count == page.entries.size();
  std::optional<LogPosition> next = page.next;
  if (!whole)
    next = PositionOf(page.entries[count - 1].time, page.entries[count - 1].sequence, order);
  Writer writer;
  writer.BeginObject();
  if (page.copied_until) writer.Member("copied_until", Count(*page.copied_until));
  writer.Member("end", page.end_sequence);
  writer.BeginArray("entries");
  for (size_t i = 0; i < count; ++i) WriteEntry(page.entries[i], writer);
  writer.EndArray();
  if (page.kept_since) writer.Member("kept_since", Count(*page.kept_since));
  if (next) WritePosition("next", *next, writer);
  writer.BeginArray("problems");
  for (const std::string& problem : page.problems) {
    EntryMarks marks;
    std::string text;  // it has a file's name, which may have any bytes
    AppendPrintable(text, problem, &marks);
    writer.Element(std::string_view(text).substr(0, kMaxProblemBytes));
  }
  writer.EndArray();
  writer.Member("timed_out", whole && page.timed_out);
  writer.Member("unread", page.unread_lines);
  writer.EndObject();
  return writer.Take();
}

Result<LogPage> ReadLogPage(std::string_view json) {
  Result<Value> object = wire::json::Parse(json, kMaxPageMessageBytes);
  if (!object) return Fail(std::move(object.error()));
  std::optional<Error> error;
  MessageFields fields(*object, &error);
  LogPage page;
  for (const Value& entry : fields.Elements("entries", kMaxPageEntries)) {
    page.entries.push_back(ReadEntry(entry, &error));
    if (error) break;
  }
  page.next = ReadPosition("next", fields, &error);
  page.timed_out = fields.Boolean("timed_out");
  // A text that was cut within a letter ends with U+FFFD, which is longer.
  page.problems = fields.Texts("problems", kMaxListedProblems, kMaxProblemBytes + 8);
  page.unread_lines = fields.Unsigned("unread", kAnyNumber).value_or(0);
  page.kept_since = fields.Time("kept_since");
  page.copied_until = fields.Time("copied_until");
  std::optional<uint64_t> end = fields.Unsigned("end", kAnyNumber);
  if (!end) fields.Reject(Errc::kInvalid, "end", "it is missing");
  page.end_sequence = end.value_or(0);
  if (error) return Fail(*std::move(error));
  return page;
}

}  // namespace meridian::watch
