#include "edge/purge/purge_puller.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "edge/limits.hpp"
#include "edge/purge/purge_position.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"
#include "site/trust/ca.hpp"
#include "site/view/purge.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

PurgePuller::PurgePuller(site::TierProcess& process,
                         const std::shared_ptr<io::TlsContext>& peer_tls, PurgeTarget target)
    : process_(process),
      target_(std::move(target)),
      applied_(process.metrics().AddCounter("meridian_edge_purges_applied_total",
                                            "Purge orders that were applied.")),
      dropped_(process.metrics().AddCounter(
          "meridian_edge_cache_dropped_total",
          "Times that the whole cache was dropped because purges may have been missed.")) {
  for (const site::DataCenter& dc : process.site().datacenters) {
    http::Upstream upstream{.address = {process.AddressOf(dc), process.site().ports.admin},
                            .tls = peer_tls,
                            .tls_name = site::PeerName(dc.name, process.site()),
                            .from = site::PeerAddress(process.here())};
    journals_.push_back({.data_center = dc.name,
                         .client = std::make_unique<http::Client>(process.loop(), process.network(),
                                                                  std::move(upstream)),
                         .position = PurgePosition(process.here().name),
                         .heard = process.loop().Now()});
  }
}

bool PurgePuller::isolated() const {
  if (journals_.size() < 2) return false;
  TimePoint now = process_.loop().Now();
  return std::ranges::none_of(journals_, [&](const Journal& journal) {
    return journal.data_center != process_.here().name && now - journal.heard < kIsolatedAfter;
  });
}

io::Task<void> PurgePuller::Run() {
  io::Scope scope(process_.loop());
  for (Journal& journal : journals_) scope.Spawn(Follow(journal));
  co_await scope.Join();
}

io::Task<Result<site::PurgePollAnswer>> PurgePuller::Ask(Journal& journal) {
  std::string poll = site::ToJson(journal.position.poll());
  http::Request request{.method = "POST",
                        .path = "/.meridian/purges",
                        .host = journal.client->upstream().tls_name,
                        .body = {wire::http::BodyFraming::Kind::kContentLength, poll.size()},
                        .content = AsBytes(poll)};
  auto answer = co_await http::Fetch(*journal.client, request, site::kMaxPurgeMessageBytes,
                                     process_.loop().After(kPurgeAnswerTimeout));
  if (!answer) co_return Fail(std::move(answer.error()));
  if (answer->status != 200) {
    co_return Fail(Errc::kInvalid, "it answered with status {}", answer->status);
  }
  co_return site::ReadPurgePollAnswer(answer->body);
}

io::Task<void> PurgePuller::Apply(Journal& journal, site::PurgePollAnswer news) {
  bool first = !journal.position.started();
  PurgePosition::Step step = journal.position.OnNews(std::move(news));
  if (step.drop_all) {
    co_await target_.drop_all();
    dropped_.Add();
    if (!first) {
      LOG_WARNING("purges may have been missed: the cache starts empty",
                  {"journal", journal.data_center});
    }
  }
  for (const site::PurgeEntry& entry : step.apply) {
    uint64_t objects = co_await target_.purge(entry.order);
    journal.position.OnApplied(entry.number, objects);
    applied_.Add();
    LOG_INFO("purge", {"kind", site::KindName(entry.order.kind)}, {"value", entry.order.value},
             {"soft", entry.order.soft}, {"objects", objects}, {"journal", journal.data_center});
  }
}

io::Task<void> PurgePuller::Follow(Journal& journal) {
  for (;;) {
    Result<site::PurgePollAnswer> news = co_await Ask(journal);
    if (!news && news.error().code == Errc::kCancelled) co_return;
    if (news.has_value() != journal.logged_reachable) {
      journal.logged_reachable = news.has_value();
      LOG_WARNING("the journal of purges", {"of", journal.data_center},
                  {"heard", journal.logged_reachable});
    }
    if (news) {
      journal.heard = process_.loop().Now();
      co_await Apply(journal, std::move(*news));
    } else if (!co_await io::Sleep(kPurgeRetryInterval)) {
      co_return;
    }
  }
}

}  // namespace meridian::edge
