#include "session/inspection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/field.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/member.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"
#include "session/replication/peer_problem.hpp"
#include "session/replication/replication.hpp"
#include "wire/http/message.hpp"
#include "wire/json/writer.hpp"

namespace meridian::session {
namespace {

using wire::json::Writer;

constexpr uint64_t kFieldSeed = 1;
constexpr uint64_t kMemberSeed = 2;
constexpr int kHexBase = 16;

std::string TakeLine(Writer& writer) { return writer.Take() + "\n"; }

// Nothing when an escape is malformed (RFC 3986, section 2.1).
Result<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    std::string_view digits = text.substr(i + 1, 2);
    uint8_t byte = 0;
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, kHexBase);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2) {
      return Fail(Errc::kInvalid, "a percent sign without two digits");
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

void WriteProblem(std::string_view name, const PeerProblem& problem, Writer& writer) {
  if (problem.reason.empty()) return;
  writer.BeginObject(name);
  writer.Member("reason", problem.reason);
  writer.Member("next", problem.next);
  writer.EndObject();
}

std::string_view Shortened(std::string_view value) { return value.substr(0, kShownBytes); }

}  // namespace

uint64_t DigestOf(Keyspace& keyspace, const Entry& entry) {
  uint64_t content = 0;
  if (const Fields* fields = FieldsOf(&entry)) {
    // Sums do not depend on an order.
    fields->ForEach([&](const Field& field) {
      content += Hash64(field.value(), Hash64(field.key(), kFieldSeed));
    });
  } else if (const Members* members = MembersOf(&entry)) {
    members->ForEach([&](const Member& member) { content += Hash64(member.key(), kMemberSeed); });
  } else {
    content = Hash64(keyspace.TextOf(entry));
  }
  std::array<uint64_t, 2> rest = {content, static_cast<uint64_t>(entry.expire_at_ms())};
  return Hash64({reinterpret_cast<const char*>(rest.data()), sizeof rest}, Hash64(entry.key()));
}

io::Task<void> Inspection::Answer(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  Result<std::string> json = Fail(Errc::kNotFound, "there are lag, digest and key");
  if (request.path == "/session/lag") {
    json = Lag();
  } else if (request.path == "/session/digest") {
    json = co_await Digest();
  } else if (request.path == "/session/key") {
    json = PercentDecoded(request.query.value_or(""));
    if (json) json = Key(*json);
  }
  if (!json) {
    int status = json.error().code == Errc::kNotFound ? 404 : 400;
    (void)co_await http::RespondText(exchange, status, json.error().message + "\n");
    co_return;
  }
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(*json));
}

std::string Inspection::Lag() const {
  Writer writer;
  writer.BeginObject();
  writer.Member("keys", keyspace_.size());
  writer.BeginArray("peers");
  if (replication_ != nullptr) {
    for (const Replication::Peer& peer : replication_->Peers()) {
      writer.BeginObject();
      writer.Member("name", peer.name);
      writer.Member("connected", peer.connected);
      writer.Member("behind_records", peer.behind_records);
      writer.Member("behind_seconds", Seconds(peer.behind));
      writer.Member("ahead_records", peer.ahead_records);
      WriteProblem("problem", peer.problem, writer);
      WriteProblem("refused", peer.refused, writer);
      if (peer.clock) {
        writer.Member("clock_lead_seconds", Seconds(peer.clock->offset));
        writer.Member("clock_error_seconds", Seconds(peer.clock->error));
      }
      writer.EndObject();
    }
  }
  writer.EndArray();
  writer.EndObject();
  return TakeLine(writer);
}

io::Task<Result<std::string>> Inspection::Digest() {
  uint64_t digest = 0;
  uint64_t keys = 0;
  uint64_t cursor = 0;
  do {
    cursor = keyspace_.Walk(cursor, kSnapshotSlice, [&](const Entry& entry) {
      if (keyspace_.IsCache(entry.key())) return;
      digest += DigestOf(keyspace_, entry);
      ++keys;
    });
    Result<void> pause = co_await io::Sleep(Duration::zero());
    if (!pause) co_return Fail(std::move(pause.error()));
  } while (cursor != 0);
  Writer writer;
  writer.BeginObject();
  writer.Member("keys", keys);
  writer.Member("digest", fmt::format("{:016x}", digest));
  writer.EndObject();
  co_return TakeLine(writer);
}

std::string Inspection::Key(std::string_view key) {
  Writer writer;
  writer.BeginObject();
  if (Entry* entry = keyspace_.Peek(key)) {
    writer.Member("type", ValueTypeName(TypeOf(*entry)));
    int64_t end_ms = entry->expire_at_ms();
    writer.Member("ttl_ms", end_ms == 0 ? int64_t{-1} : end_ms - keyspace_.now_ms());
    writer.Member("bytes", entry->memory_bytes());
    writer.Member("written_ms", NewestOf(*entry).time.milliseconds());
    writer.Member("digest", fmt::format("{:016x}", DigestOf(keyspace_, *entry)));
    writer.Member("cache", keyspace_.IsCache(key));
    WriteValue(*entry, writer);
  } else {
    writer.Member("type", "none");
  }
  writer.EndObject();
  return TakeLine(writer);
}

void Inspection::WriteValue(Entry& entry, Writer& writer) {
  if (const Fields* fields = FieldsOf(&entry)) {
    size_t shown = 0;
    writer.BeginObject("value");
    fields->ForEachInOrder([&](const Field& field) {
      if (shown++ < kShownItems) writer.Member(field.key(), Shortened(field.value()));
    });
    writer.EndObject();
  } else if (const Members* members = MembersOf(&entry)) {
    std::vector<std::string_view> shown;
    members->ForEach([&](const Member& member) {
      if (shown.size() < kShownItems) shown.push_back(Shortened(member.key()));
    });
    std::ranges::sort(shown);
    writer.BeginArray("value");
    for (std::string_view member : shown) writer.Element(member);
    writer.EndArray();
  } else {
    writer.Member("value", Shortened(keyspace_.TextOf(entry)));
  }
}

}  // namespace meridian::session
