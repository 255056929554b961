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
  for (PendingPurge& purge : pending_) purge.edge_replied.WakeAll();
}

io::Task<Result<site::PurgeReport>> Purges::Purge(site::PurgeOrder order, Duration timeout) {
  TimePoint since = context_.loop.Now();
  if (pending_.size() >= kMaxPendingPurges) {
    co_return Fail(Errc::kUnavailable, "too many purges at once");
  }
  auto purge = pending_.emplace(pending_.end());
  purge->since = since;
  for (const site::DataCenter& dc : context_.site.datacenters) {
    purge->report.edges.push_back({.name = dc.name});
  }
  Result<uint64_t> number = co_await journal_.Append(std::move(order));
  if (number) {
    orders_.Add();
    purge->report.number = *number;
    while (!purge->report.complete() && !stopping_) {
      if (!co_await purge->edge_replied.Wait(since + timeout)) break;
    }
  }
  site::PurgeReport report = std::move(purge->report);
  pending_.erase(purge);
  if (!number) co_return Fail(std::move(number.error()));
  co_return report;
}

void Purges::RecordEdge(PendingPurge& purge, const site::PurgePoll& poll, TimePoint now) {
  site::PurgeReport& report = purge.report;
  if (report.number == 0 || poll.after < report.number) return;
  auto edge = std::ranges::find(report.edges, poll.edge, &site::PurgeReport::Edge::name);
  if (edge == report.edges.end() || edge->objects) return;
  auto applied = std::ranges::find(poll.applied, report.number, &site::PurgePoll::Applied::number);
  // An edge without a count for the order skipped it, because its cache was empty.
  edge->objects = applied == poll.applied.end() ? 0 : applied->objects;
  edge->milliseconds = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now - purge.since).count());
  purge.edge_replied.WakeAll();
}

void Purges::RecordApplied(const site::PurgePoll& poll) {
  if (poll.journal != journal_.id()) return;
  TimePoint now = context_.loop.Now();
  for (PendingPurge& purge : pending_) RecordEdge(purge, poll, now);
}

io::Task<Result<site::PurgePollAnswer>> Purges::OnPoll(site::PurgePoll poll) {
  if (context_.site.FindDataCenter(poll.edge) == nullptr) {
    co_return Fail(Errc::kInvalid, "there is no edge \"{}\"", poll.edge);
  }
  RecordApplied(poll);
  TimePoint deadline = context_.loop.After(kPurgePollTimeout);
  // An edge with another journal's identity, or none, is answered at once.
  while (poll.journal == journal_.id() && poll.after >= journal_.newest() && !stopping_) {
    Result<void> grown = co_await journal_.grown().Wait(deadline);
    if (!grown && grown.error().code == Errc::kTimeout) break;
    if (!grown) co_return Fail(std::move(grown.error()));
  }
  co_return journal_.After(poll.after);
}

}  // namespace meridian::agent
