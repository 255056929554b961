#include "watch/output_intake.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "proc/intake_quota.hpp"
#include "site/tier/output_frame.hpp"
#include "watch/limits.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/log/log_source.hpp"
#include "watch/metrics.hpp"

namespace meridian::watch {

struct OutputIntake::Connection {
  struct Source {
    LogSource log;
    uint64_t counted_lines = 0;
    uint64_t counted_bytes = 0;
  };

  Buffer in{kOutputReadBytes + site::kMaxOutputFrameBytes};
  uint64_t taken_bytes = 0;
  uint64_t reported_bytes = 0;
  std::map<uint32_t, Source> sources;
};

OutputIntake::OutputIntake(io::Loop& loop, std::string data_center)
    : loop_(loop), data_center_(std::move(data_center)) {}

OutputIntake::~OutputIntake() { CHECK(streams_.empty()); }

void OutputIntake::Close() {
  store_ = nullptr;
  for (io::Stream* stream : streams_) stream->Close();
}

io::Task<void> OutputIntake::Serve(http::Exchange& exchange) {
  if (store_ == nullptr || streams_.size() >= kMaxOutputStreams) {
    (void)co_await http::RespondText(exchange, 503, "the log store takes no output now\n");
    co_return;
  }
  if (exchange.request().upgrade != site::kOutputProtocol) {
    (void)co_await exchange.Respond({.status = 426, .upgrade = site::kOutputProtocol}, {});
    co_return;
  }
  auto upgraded = co_await exchange.Upgrade(site::kOutputProtocol, {});
  if (!upgraded) co_return;
  streams_.push_back(&upgraded->stream);
  Connection connection;
  co_await Read(connection, *upgraded);
  std::erase(streams_, &upgraded->stream);
  for (auto& [id, source] : connection.sources) source.log.Finish({loop_.Now(), loop_.Wall()});
  Count(connection);
  counts_.sources -= connection.sources.size();
}

io::Task<void> OutputIntake::Read(Connection& connection, http::Upgraded upgraded) {
  // An agent waits for the answer before it sends frames.
  if (!connection.in.Append(upgraded.received.readable())) co_return;
  while (true) {
    Result<void> taken = TakeFrames(connection);
    if (!taken) {
      LOG_ERROR("the agent's output cannot be read", {"problem", taken.error().message});
      co_return;
    }
    ExpireDue(connection);
    Count(connection);
    if (connection.taken_bytes != connection.reported_bytes) {
      connection.reported_bytes = connection.taken_bytes;
      const std::string text = site::EncodeTaken(connection.taken_bytes);
      auto told = co_await upgraded.stream.Write(AsBytes(text), loop_.After(kTakenTimeout));
      if (!told) co_return;
    }
    TimePoint deadline = kNever;
    for (const auto& [id, source] : connection.sources) {
      deadline = std::min(deadline, source.log.deadline());
    }
    auto got = co_await upgraded.stream.Read(connection.in.Prepare(kOutputReadBytes), deadline);
    if (got && *got > 0) {
      connection.in.Commit(*got);
    } else if (got || got.error().code != Errc::kTimeout) {
      co_return;
    }
  }
}

Result<void> OutputIntake::TakeFrames(Connection& connection) {
  while (true) {
    const size_t before = connection.in.size();
    auto frame = site::TakeOutputFrame(connection.in);
    if (!frame) return Fail(std::move(frame.error()));
    if (!*frame) return {};
    Result<void> taken = TakeFrame(connection, **frame);
    if (!taken) return taken;
    connection.taken_bytes += before - connection.in.size();
  }
}

Result<void> OutputIntake::TakeFrame(Connection& connection, const site::OutputFrame& frame) {
  if (frame.kind == site::OutputKind::kOrigin) return AddSource(connection, frame);
  auto found = connection.sources.find(frame.source);
  if (found == connection.sources.end()) {
    return Fail(Errc::kInvalid, "source {} has no origin", frame.source);
  }
  LogSource& source = found->second.log;
  const Arrival at{loop_.Now(), frame.time};
  switch (frame.kind) {
    case site::OutputKind::kOrigin:
      break;
    case site::OutputKind::kBytes:
      counts_.bytes += frame.bytes.size();
      source.Feed(frame.bytes, at);
      break;
    case site::OutputKind::kDropped:
      counts_.agent_dropped_lines += frame.dropped_lines;
      counts_.agent_dropped_bytes += frame.dropped_bytes;
      source.NoteDropped(frame.dropped_lines, frame.dropped_bytes, at);
      break;
    case site::OutputKind::kEnd:
      source.Finish(at);
      break;
  }
  return {};
}

Result<void> OutputIntake::AddSource(Connection& connection, const site::OutputFrame& frame) {
  if (store_ == nullptr) return Fail(Errc::kCancelled, "the log store is being closed");
  if (connection.sources.size() >= kMaxSources) {
    return Fail(Errc::kTooLarge, "more than {} sources", kMaxSources);
  }
  const site::OutputOrigin& from = frame.origin;
  LogOrigin origin{.dc = data_center_,
                   .host = from.host,
                   .tier = from.tier,
                   .name = from.name,
                   .instance = from.instance,
                   .release = from.release};
  LogSource source(std::move(origin), proc::IntakeLimits{}, *store_);
  if (!connection.sources.try_emplace(frame.source, std::move(source)).second) {
    return Fail(Errc::kInvalid, "source {} has two origins", frame.source);
  }
  ++counts_.sources;
  return {};
}

void OutputIntake::ExpireDue(Connection& connection) {
  const Arrival at{loop_.Now(), loop_.Wall()};
  for (auto& [id, source] : connection.sources) {
    if (source.log.deadline() <= at.now) source.log.Expire(at);
  }
}

void OutputIntake::Count(Connection& connection) {
  for (auto& [id, source] : connection.sources) {
    counts_.dropped_lines += source.log.dropped_lines() - source.counted_lines;
    counts_.dropped_bytes += source.log.dropped_bytes() - source.counted_bytes;
    source.counted_lines = source.log.dropped_lines();
    source.counted_bytes = source.log.dropped_bytes();
  }
}

}  // namespace meridian::watch
