// CacheHandler: what becomes of one visitor's request: answered from the cache, from a fetch that
// others began, or forwarded, and then perhaps stored. All decisions are edge/cache's; this puts
// them in order. Owned by the edge; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "base/random.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/pass_table.hpp"
#include "edge/config.hpp"
#include "edge/costs/costs.hpp"
#include "edge/costs/waste.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/loop_detection.hpp"
#include "edge/fetch/stored_response_maker.hpp"
#include "edge/fetch/transaction.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::edge {

class CacheHandler {
 public:
  struct Options {
    io::Loop& loop;
    io::Scope& scope;  // of the process: fetches go on in it
    Forwarder& forwarder;
    Metrics& metrics;
    const Config& config;
    std::string default_host;  // of requests without Host
    std::string cdn_domain;    // cdn.<this> is served without cookies; empty: no such host
    std::string here;          // for Meridian-Path
    std::string loop_id = {};  // LoopId of an edge that stands alone
  };
  explicit CacheHandler(Options options);

  struct Requester {
    bool debug = false;  // wants the way of the request, and may know it
    bool own = false;    // is the edge itself, not a visitor
    // Of the visitor whose request this is, or who has brought it about; may be null.
    VisitorRecord* record = nullptr;
  };
  io::Task<void> Handle(http::Exchange& exchange, Requester requester);

  Costs& costs() { return costs_; }
  // For purges, by whoever hears of them.
  MemoryStore& store() { return store_; }
  // While it is, purges may pass unheard: nothing stored is used unless the origin confirms it.
  void SetIsolated(bool isolated) { isolated_ = isolated; }
  bool isolated() const { return isolated_; }
  // Whether a request has passed here before; an edge of a site goes by its routes instead.
  bool IsLooping(const wire::http::RequestHead& request) const {
    return !options_.loop_id.empty() && IsLoop(request.fields, options_.loop_id);
  }
  // Tells the metrics what is held.
  void ReportSize();

 private:
  enum class WaitResult : uint8_t { kAnswered, kLookUpAgain, kFetchAlone };
  // What is done with an answer by its head.
  enum class HeadDecision : uint8_t {
    kRelay,
    kStore,
    kConfirm,
    kServeStale,
    kNotModified,
    kFetchAgain
  };

  Lookup LookUp(Transaction& transaction);
  io::Task<void> Miss(Transaction& transaction);
  // For a request that waits for nobody, and nobody for it.
  std::shared_ptr<CoalescedFetch> MakeUnsharedFetch(const Transaction& transaction);
  std::shared_ptr<CoalescedFetch> FindFetch(const std::string& slot, const std::string& key);
  io::Task<WaitResult> WaitFor(Transaction& transaction, std::shared_ptr<CoalescedFetch> fetch);
  io::Task<WaitResult> AnswerFromFetch(Transaction& transaction, CoalescedFetch::Reader& reader);
  // Asks the origin for all who wait on `fetch`, or, when that is in no table, for this one alone.
  io::Task<void> FetchFromOrigin(Transaction& transaction, std::shared_ptr<CoalescedFetch> fetch);
  io::Task<void> AnswerTaken(Transaction& transaction, CoalescedFetch::Reader& reader,
                             HeadDecision taking, std::unique_ptr<http::ClientExchange> taken);
  // `status` is that of the failure, 0 when there is no answer; here and below.
  io::Task<void> AnswerFailure(Transaction& transaction, Error error, int status);
  io::Task<void> AnswerNotModified(Transaction& transaction, const wire::http::ResponseHead& head);

  // By the head of an answer to HEAD.
  void FreshenByHead(Transaction& transaction, CoalescedFetch& fetch,
                     const wire::http::ResponseHead& head);
  StoredResponseMaker::RequestContext ContextOf(const Transaction& transaction) const;
  HeadDecision DecideByHead(Transaction& transaction,
                            const std::shared_ptr<CoalescedFetch>& asked_by,
                            const wire::http::ResponseHead& head);
  // Of a 206, which may be a piece of the whole, or the rest of it.
  HeadDecision DecideOnPiece(Transaction& transaction, const std::shared_ptr<CoalescedFetch>& fetch,
                             const wire::http::ResponseHead& head);
  // Of an answer to POST, which may be one to later GETs (RFC 9110 9.3.3).
  HeadDecision DecideOnPost(Transaction& transaction, const std::shared_ptr<CoalescedFetch>& fetch,
                            const wire::http::ResponseHead& head);
  // Why what is stored may answer in place of a failure, for Cache-Status; empty: it may not.
  std::string_view StandInReason(const StoredResponse* stored,
                                 const wire::http::CacheControl& request, int status) const;
  void EditResponse(Transaction& transaction, const wire::http::ResponseHead& upstream,
                    wire::http::HeaderFields& fields);
  void Invalidate(const Transaction& transaction, const wire::http::ResponseHead& upstream);
  // What arrives is for whoever asked: nobody else joins it, nor waits for the next.
  void StopSharing(const std::shared_ptr<CoalescedFetch>& fetch);
  void End(CoalescedFetch& fetch, CoalescedFetch::State state);
  CoalescedFetchOptions OptionsOfFetch();
  // For a small body, so that its answer can say whether it was stored.
  io::Task<void> AwaitStored(CoalescedFetch& fetch);

  // Judges the headers of what was fetched for `transaction`.
  void RecordFetch(Transaction& transaction, const wire::http::ResponseHead& head);
  // The same of what was fetched behind a visitor's back; `stale` may be null, here and below.
  void RecordBackgroundFetch(const KeyView& key, const StoredResponse* stale,
                             const StoredResponseMaker::RequestContext& asking,
                             const wire::http::ResponseHead& head);
  // Counts an answer whose body was not read, or is not there.
  void CountHeadAlone(const wire::http::ResponseHead& head, const StoredResponse* stale,
                      bool crosses);
  std::optional<Waste> FindWaste(const KeyView& key, const wire::http::ResponseHead& head,
                                 const StoredResponse* stale, WasteInput input);

  // Behind a visitor's back.
  // What is stale, confirmed or new.
  void FetchInBackground(const Transaction& transaction,
                         const std::shared_ptr<StoredResponse>& stale);
  io::Task<void> Fetch(std::shared_ptr<CoalescedFetch> fetch, std::shared_ptr<StoredResponse> stale,
                       OwnedFields request, OwnedFields visitors);

  Options options_;
  Random random_;
  Costs costs_;
  MemoryStore store_;
  StoredResponseMaker maker_;
  FetchTable fetches_;
  PassTable passes_;
  PassTable too_large_{kTooLargeTime};
  UnreadFetches unread_;
  bool isolated_ = false;
  size_t background_fetches_ = 0;  // of those, that go on
  uint64_t unshared_fetches_ = 0;
  Counter& hits_;
  Counter& stale_hits_;
  Counter& collapsed_;
  Counter& forwarded_;
  Counter& filled_;
  Counter& confirmed_;
  Counter& stood_in_;
  Counter& unavailable_;
  Gauge& bytes_;
  Gauge& objects_;
};

}  // namespace meridian::edge
