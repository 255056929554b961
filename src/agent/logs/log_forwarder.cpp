#include "agent/logs/log_forwarder.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "agent/logs/output_buffer.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/output_frame.hpp"
#include "site/tier_description.hpp"
#include "site/trust/bearer.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

bool HasWatch(const Context& context) {
  return !context.here.edge_only &&
         std::ranges::find(context.site.tiers, "watch", &site::TierDescription::name) !=
             context.site.tiers.end();
}

std::string HostName() {
  std::array<char, site::kMaxOutputNameBytes> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

http::ClientLimits Limits() {
  http::ClientLimits limits;
  limits.head_timeout = kWatchAnswerTimeout;
  return limits;
}

}  // namespace

void OutputSource::Append(std::string_view bytes) {
  if (!forwarder_.enabled_ || bytes.empty()) return;
  forwarder_.buffered_bytes_ -= buffer_.bytes();
  forwarder_.CountDropped(buffer_.Append(bytes, forwarder_.context_.loop.Wall()), false);
  forwarder_.buffered_bytes_ += buffer_.bytes();
  forwarder_.OnOutput();
}

void OutputSource::Drop(std::string_view bytes) {
  if (!forwarder_.enabled_ || bytes.empty()) return;
  forwarder_.buffered_bytes_ -= buffer_.bytes();
  forwarder_.CountDropped(buffer_.Drop(bytes, forwarder_.context_.loop.Wall()), true);
  forwarder_.buffered_bytes_ += buffer_.bytes();
  forwarder_.OnOutput();
}

void OutputSource::End() {
  if (!forwarder_.enabled_) return;
  forwarder_.buffered_bytes_ -= buffer_.bytes();
  buffer_.End(forwarder_.context_.loop.Wall());
  forwarder_.buffered_bytes_ += buffer_.bytes();
  forwarder_.OnOutput();
}

// One connection to the tier.
struct LogForwarder::Connection {
  http::Upgraded upgraded;
  io::Scope scope;
  uint32_t announced = 0;  // sources whose origin was sent
  uint64_t bytes = 0;      // written, or about to be
  // Why it has ended: the first error, as the other fiber is cancelled then.
  Result<void> outcome = {};

  void End(Error why) {
    if (outcome) outcome = Fail(std::move(why));
    scope.Cancel();
  }
};

LogForwarder::LogForwarder(const Context& context, Metrics& metrics)
    : context_(context),
      enabled_(HasWatch(context)),
      host_(HostName()),
      connected_gauge_(metrics.AddGauge("meridian_agent_output_connected",
                                        "1 while the watch tier takes output.")),
      buffered_gauge_(metrics.AddGauge("meridian_agent_output_buffered_bytes",
                                       "Bytes of output that the watch tier has not taken.")),
      quota_lines_(metrics.AddCounter("meridian_agent_output_dropped_lines_total",
                                      "Lines of output that were not sent to the watch tier.",
                                      {{"reason", "quota"}})),
      quota_bytes_(metrics.AddCounter("meridian_agent_output_dropped_bytes_total",
                                      "Bytes of output that were not sent to the watch tier.",
                                      {{"reason", "quota"}})),
      buffer_lines_(metrics.AddCounter("meridian_agent_output_dropped_lines_total",
                                       "Lines of output that were not sent to the watch tier.",
                                       {{"reason", "buffer"}})),
      buffer_bytes_(metrics.AddCounter("meridian_agent_output_dropped_bytes_total",
                                       "Bytes of output that were not sent to the watch tier.",
                                       {{"reason", "buffer"}})) {}

LogForwarder::~LogForwarder() = default;

OutputSource& LogForwarder::AddSource(site::OutputOrigin origin) {
  origin.host = host_;
  origin.release = context_.site.app.release;
  for (std::string* name : {&origin.tier, &origin.name, &origin.instance, &origin.release}) {
    name->resize(std::min(name->size(), site::kMaxOutputNameBytes));
  }
  sources_.push_back(std::make_unique<OutputSource>(*this, std::move(origin)));
  const size_t share = std::clamp(kMaxOutputBufferBytes / sources_.size(), kMinSourceBufferBytes,
                                  kMaxSourceBufferBytes);
  for (auto& source : sources_) source->buffer_.set_limit(share);
  return *sources_.back();
}

void LogForwarder::OnOutput() {
  buffered_gauge_.Set(static_cast<double>(buffered_bytes_ + sent_bytes_));
  work_.WakeAll();
}

void LogForwarder::CountDropped(const DroppedOutput& dropped, bool by_quota) {
  if (dropped.bytes == 0) return;
  (by_quota ? quota_lines_ : buffer_lines_).Add(dropped.lines);
  (by_quota ? quota_bytes_ : buffer_bytes_).Add(dropped.bytes);
  if (!by_quota && dropping_.OnProblem("full", context_.loop.Now())) {
    LOG_WARNING("output is dropped: the watch tier does not take it in time",
                {"buffered_bytes", buffered_bytes_ + sent_bytes_});
  }
}

bool LogForwarder::idle() const { return buffered_bytes_ == 0 && sent_.empty(); }

io::Task<void> LogForwarder::Run() {
  if (!enabled_) co_return;
  Duration wait = kMinWatchRetry;
  while (true) {
    const TimePoint began = context_.loop.Now();
    Result<void> ended = co_await Connect();
    connected_gauge_.Set(0);
    if (!ended && ended.error().code == Errc::kCancelled) co_return;
    const std::string why = ended ? "it closed the connection" : ended.error().message;
    if (problem_.OnProblem(why, context_.loop.Now())) {
      LOG_WARNING("the watch tier takes no output now", {"problem", why});
    }
    if (context_.loop.Now() - began > kMaxWatchRetry) wait = kMinWatchRetry;
    if (!co_await io::Sleep(wait)) co_return;
    wait = std::min(2 * wait, kMaxWatchRetry);
  }
}

io::Task<void> LogForwarder::Flush(TimePoint deadline) {
  while (enabled_ && !idle()) {
    if (!co_await taken_.Wait(deadline)) co_return;
  }
}

io::Task<Result<void>> LogForwarder::Connect() {
  http::Client client(
      context_.loop, context_.network,
      {.address = {site::HostAddress(context_.here, context_.hosting), context_.site.ports.watch}},
      Limits());
  const std::string bearer = site::BearerOf(context_.watch_password);
  const wire::http::HeaderField authorization{"Authorization", bearer};
  const http::Request request{.path = site::kOutputPath,
                              .host = "watch",
                              .fields = {{&authorization, 1}},
                              .upgrade = site::kOutputProtocol};
  http::Sent sent = co_await client.Send(request);
  if (!sent) co_return Fail(std::move(sent.error().error));
  auto head = co_await sent->ReadHead();
  if (!head) co_return Fail(std::move(head.error()));
  if ((*head)->status != 101) {
    co_return Fail(Errc::kUnavailable, "it answers with status {}", (*head)->status);
  }
  co_return co_await Exchange(sent->TakeUpgraded());
}

io::Task<Result<void>> LogForwarder::Exchange(http::Upgraded upgraded) {
  connected_gauge_.Set(1);
  if (problem_.OnSolved()) LOG_INFO("the watch tier takes output again");
  Connection connection{.upgraded = upgraded, .scope = io::Scope(context_.loop)};
  connection.scope.Spawn(Write(connection));
  connection.scope.Spawn(ReadTaken(connection));
  co_await connection.scope.Join();
  co_return std::move(connection.outcome);
}

// The origins of sources that this connection does not know yet.
std::string LogForwarder::NewOrigins(Connection& connection) {
  std::string text;
  for (; connection.announced < sources_.size(); ++connection.announced) {
    site::AppendOutputFrame({.kind = site::OutputKind::kOrigin,
                             .source = connection.announced,
                             .origin = sources_[connection.announced]->origin_},
                            &text);
  }
  connection.bytes += text.size();
  return text;
}

// What the last connection has not taken.
std::string LogForwarder::SentBefore(Connection& connection) {
  std::string text = NewOrigins(connection);
  for (Sent& sent : sent_) {
    text += sent.frame;
    connection.bytes += sent.frame.size();
    sent.end = connection.bytes;
  }
  return text;
}

std::string LogForwarder::NextFrames(Connection& connection) {
  std::string text = NewOrigins(connection);
  size_t empty = 0;
  while (empty < sources_.size() && sent_bytes_ < kMaxOutputInFlight &&
         text.size() < site::kMaxOutputBytes) {
    const auto id = static_cast<uint32_t>(next_source_);
    next_source_ = (next_source_ + 1) % sources_.size();
    OutputBuffer& buffer = sources_[id]->buffer_;
    const size_t before = buffer.bytes();
    std::optional<site::OutputFrame> frame = buffer.Take();
    empty = frame ? 0 : empty + 1;
    if (!frame) continue;
    buffered_bytes_ -= before - buffer.bytes();
    frame->source = id;
    Sent sent;
    site::AppendOutputFrame(*frame, &sent.frame);
    text += sent.frame;
    connection.bytes += sent.frame.size();
    sent.end = connection.bytes;
    sent_bytes_ += sent.frame.size();
    sent_.push_back(std::move(sent));
  }
  return text;
}

io::Task<void> LogForwarder::Write(Connection& connection) {
  std::string text = SentBefore(connection);
  while (true) {
    // Without a deadline: a tier that hangs is killed by its own, and a new process is as good as
    // what is in the kernel's buffers already.
    Result<void> done = co_await connection.upgraded.stream.Write(AsBytes(text));
    text.clear();
    while (done && text.empty()) {
      text = NextFrames(connection);
      if (text.empty()) done = co_await work_.Wait();
    }
    if (!done) co_return connection.End(std::move(done.error()));
  }
}

io::Task<void> LogForwarder::ReadTaken(Connection& connection) {
  constexpr size_t kReadBytes = 4096;
  Buffer in(2 * kReadBytes);
  // The tier says nothing before it has read something.
  if (!in.Append(connection.upgraded.received.readable())) {
    co_return connection.End({Errc::kInvalid, "it sent too much at once"});
  }
  while (true) {
    while (std::optional<uint64_t> taken = site::TakeTaken(in)) {
      Result<void> good = OnTaken(connection, *taken);
      if (!good) co_return connection.End(std::move(good.error()));
    }
    auto got = co_await connection.upgraded.stream.Read(in.Prepare(kReadBytes));
    if (!got) co_return connection.End(std::move(got.error()));
    if (*got == 0) co_return connection.End({Errc::kClosed, "it closed the connection"});
    in.Commit(*got);
  }
}

Result<void> LogForwarder::OnTaken(Connection& connection, uint64_t bytes) {
  if (bytes > connection.bytes) {
    return Fail(Errc::kInvalid, "it has taken more than it was sent");
  }
  while (!sent_.empty() && sent_.front().end <= bytes) {
    sent_bytes_ -= sent_.front().frame.size();
    sent_.pop_front();
  }
  if (idle() && dropping_.OnSolved()) LOG_INFO("all output is sent to the watch tier again");
  OnOutput();
  taken_.WakeAll();
  return {};
}

}  // namespace meridian::agent
