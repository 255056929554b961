#include "agent/purges/purges.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/site.hpp"
#include "site/view/purge.hpp"

namespace meridian::agent {

Purges::Purges(const Context& context, io::Disk& disk, Metrics& metrics)
    : context_(context),
      journal_(disk, context.state_directory.string(), "purges-" + context.here.name,
               Random(EntropySeed())),
      orders_(metrics.AddCounter("meridian_agent_purges_total", "Purges that were ordered here.")) {
}

void Purges::Stop() {
  stopping_ = true;
  journal_.grown().WakeAll();
  for (Awaited& awaited : awaited_) awaited.heard.WakeAll();
}

io::Task<Result<site::PurgeReport>> Purges::Purge(site::PurgeOrder order, Duration timeout) {
  TimePoint since = context_.loop.Now();
  if (awaited_.size() >= kMaxPurgesAwaited) {
    co_return Fail(Errc::kUnavailable, "too many purges at once");
  }
  auto awaited = awaited_.emplace(awaited_.end());
  awaited->since = since;
  for (const site::DataCenter& dc : context_.site.datacenters) {
    awaited->report.edges.push_back({.name = dc.name});
  }
  Result<uint64_t> number = co_await journal_.Append(std::move(order));
  if (number) {
    orders_.Add();
    awaited->report.number = *number;
    while (!awaited->report.complete() && !stopping_) {
      if (!co_await awaited->heard.Wait(since + timeout)) break;
    }
  }
  site::PurgeReport report = std::move(awaited->report);
  awaited_.erase(awaited);
  if (!number) co_return Fail(std::move(number.error()));
  co_return report;
}

void Purges::Settle(Awaited& awaited, const site::PurgePoll& question, TimePoint now) {
  site::PurgeReport& report = awaited.report;
  if (report.number == 0 || question.after < report.number) return;
  auto edge = std::ranges::find(report.edges, question.edge, &site::PurgeReport::Edge::name);
  if (edge == report.edges.end() || edge->objects) return;
  auto applied =
      std::ranges::find(question.applied, report.number, &site::PurgePoll::Applied::number);
  // One that skipped it had nothing any more that it could apply it to.
  edge->objects = applied == question.applied.end() ? 0 : applied->objects;
  edge->milliseconds = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now - awaited.since).count());
  awaited.heard.WakeAll();
}

void Purges::Hear(const site::PurgePoll& question) {
  if (question.journal != journal_.id()) return;
  TimePoint now = context_.loop.Now();
  for (Awaited& awaited : awaited_) Settle(awaited, question, now);
}

io::Task<Result<site::PurgePollAnswer>> Purges::Answer(site::PurgePoll question) {
  if (context_.site.FindDataCenter(question.edge) == nullptr) {
    co_return Fail(Errc::kInvalid, "there is no edge \"{}\"", question.edge);
  }
  Hear(question);
  TimePoint deadline = context_.loop.After(kPurgePollTimeout);
  // An edge that knows another journal, or none, is told at once.
  while (question.journal == journal_.id() && question.after >= journal_.newest() && !stopping_) {
    Result<void> grown = co_await journal_.grown().Wait(deadline);
    if (!grown && grown.error().code == Errc::kTimeout) break;
    if (!grown) co_return Fail(std::move(grown.error()));
  }
  co_return journal_.After(question.after);
}

}  // namespace meridian::agent
