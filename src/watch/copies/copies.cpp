#include "watch/copies/copies.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/tier/peer_listener.hpp"
#include "site/tier/tier_process.hpp"
#include "watch/copies/forgotten_copies.hpp"
#include "watch/copies/limits.hpp"
#include "watch/copies/log_copy.hpp"
#include "watch/log/entry.hpp"

namespace meridian::watch {
namespace {

void RaiseTo(Counter& counter, uint64_t count) {
  if (count > counter.value()) counter.Add(count - counter.value());
}

}  // namespace

Copies::Copies(site::TierProcess& process, std::filesystem::path folder, uint64_t max_bytes)
    : process_(process),
      folder_(std::move(folder)),
      started_(ToLogTime(process.loop().Wall())),
      pool_(kCopyPoolThreads),
      server_(process.loop()),
      copying_(process.loop()) {
  for (const site::DataCenter& each : process.site().datacenters) {
    if (!each.edge_only && each.name != process.here().name) Add(each, max_bytes);
  }
}

Copies::~Copies() = default;

void Copies::Add(const site::DataCenter& other, uint64_t max_bytes) {
  LogCopyOptions options{.here = process_.here().name,
                         .data_center = other.name,
                         .folder = folder_ / other.name,
                         .max_bytes = max_bytes};
  options.dial = [this, name = other.name](TimePoint deadline) {
    return listener_->DialOf(name)(deadline);
  };
  Metrics& metrics = process_.metrics();
  const auto label = std::pair<std::string, std::string>("datacenter", other.name);
  members_.push_back(
      {.copy = std::make_unique<LogCopy>(std::move(options), process_.loop(), pool_, files_),
       .connected = metrics.AddGauge("meridian_watch_copy_connected",
                                     "1 while the lines of this data center come.", {label}),
       .behind =
           metrics.AddGauge("meridian_watch_copy_behind_seconds",
                            "How long ago the copy was whole, or this process began.", {label}),
       .bytes = metrics.AddGauge("meridian_watch_copy_bytes", "Bytes of all files of the copy.",
                                 {label}),
       .entries = metrics.AddCounter("meridian_watch_copied_entries_total",
                                     "Entries that were copied.", {label}),
       .gaps = metrics.AddCounter("meridian_watch_copy_gaps_total",
                                  "Lines that were gone before they could be copied.", {label})});
}

Result<void> Copies::Start() {
  if (members_.empty()) return {};
  auto listener = site::PeerListener::Open(process_, process_.site().ports.watch);
  if (!listener) return Fail(std::move(listener.error()));
  listener_ = std::move(*listener);
  listener_->Start(
      [this](std::unique_ptr<io::Stream> stream, std::function<bool(std::string_view)> allowed) {
        return server_.Serve(std::move(stream), std::move(allowed));
      });
  return {};
}

void Copies::Open(LogStore& store) {
  copying_.Spawn(TellForgotten());
  if (members_.empty()) return;
  server_.Open(store);
  for (Member& member : members_) copying_.Spawn(member.copy->Run());
}

io::Task<void> Copies::TellForgotten() {
  std::vector<std::string> names;
  for (const Member& member : members_) names.push_back(member.copy->data_center());
  auto forgotten = co_await io::RunBlocking(pool_, [&] { return ForgottenCopies(folder_, names); });
  for (const ForgottenCopy& each : forgotten) {
    LOG_WARNING("a copy of the lines of a data center that is not in site.toml takes space",
                {"datacenter", each.data_center}, {"bytes", each.bytes},
                {"to_remove", fmt::format("rm -r '{}'", (folder_ / each.data_center).string())});
  }
}

io::Task<void> Copies::Stop() {
  server_.Close();
  if (listener_) co_await listener_->Close();
  copying_.Cancel();
  co_await copying_.Join();
}

LogCopy* Copies::Find(std::string_view data_center) {
  auto found = std::ranges::find_if(
      members_, [&](const Member& member) { return member.copy->data_center() == data_center; });
  return found == members_.end() ? nullptr : found->copy.get();
}

void Copies::Update() {
  const LogTime now = ToLogTime(process_.loop().Wall());
  for (Member& member : members_) {
    const LogCopyStatus status = member.copy->status();
    member.connected.Set(status.connected ? 1 : 0);
    member.behind.Set(Seconds(now - (status.until == LogTime{} ? started_ : status.until)));
    member.bytes.Set(static_cast<double>(status.bytes));
    RaiseTo(member.entries, status.entries);
    RaiseTo(member.gaps, status.gaps);
  }
}

std::string Copies::Problem() const {
  std::string text;
  for (const Member& member : members_) {
    const LogCopyStatus status = member.copy->status();
    if (status.problem.empty()) continue;
    text += fmt::format("{}lines of {} are not copied: {}", text.empty() ? "" : "; ",
                        member.copy->data_center(), status.problem);
  }
  return text;
}

}  // namespace meridian::watch
