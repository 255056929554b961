// CacheHandler: handles a visitor's request in the shared cache (RFC 9111): answers it with a
// stored response, from a coalesced fetch, or by forwarding it, and stores the response where that
// is allowed. edge/cache makes the decisions. Each loop has one; one thread, its loop's. What the
// loops share is in the SharedCache.
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
#include "edge/fetch/hot_responses.hpp"
#include "edge/fetch/loop_detection.hpp"
#include "edge/fetch/shared_cache.hpp"
#include "edge/fetch/stored_response_maker.hpp"
#include "edge/fetch/transaction.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::edge {

class CacheHandler {
 public:
  struct Options {
    io::Loop& loop;
    io::Scope& scope;  // of the loop in the process: fetches go on in it
    SharedCache& shared;
    uint64_t loop_index = 0;
    Forwarder& forwarder;
    Metrics& metrics;
    const Config& config;
    std::string default_host;  // of requests without Host
    std::string cdn_domain;    // cdn.<this> is served without cookies; empty: no such host
    std::string here;          // for Meridian-Path
    std::string loop_id = {};  // LoopId of an edge that stands alone
    // The origin is not of this site: it is sent no field of Meridian's, and its own mean nothing.
    bool foreign_origin = false;
  };
  explicit CacheHandler(Options options);
  // The fibers of Options::scope must have ended.
  ~CacheHandler();

  struct Requester {
    bool debug = false;  // may have Meridian-Path, and has asked for it
    bool own = false;    // is the edge itself, not a visitor
    // Of the visitor who sent the request, or for whom the edge made it; may be null.
    VisitorRecord* record = nullptr;
  };
  io::Task<void> Handle(http::Exchange& exchange, Requester requester);

  Costs& costs() { return costs_; }
  const Costs& costs() const { return costs_; }
  // For purges.
  MemoryStore& store() { return store_; }
  bool isolated() const { return shared_.isolated(); }
  // Whether a request has passed this edge before. Always false with a site: its routes prevent
  // loops.
  bool IsLooping(const wire::http::RequestHead& request) const {
    return !options_.loop_id.empty() && IsLoop(request.fields, options_.loop_id);
  }
  // Sets the gauges of stored bytes and responses, of all loops: one loop's handler does so.
  void ReportSize();

 private:
  enum class WaitResult : uint8_t { kAnswered, kLookUpAgain, kFetchAlone };
  // How a response of the origin is used, decided by its head.
  enum class HeadDecision : uint8_t {
    kRelay,
    kStore,
    kConfirm,
    kServeStale,
    kNotModified,
    kFetchAgain
  };

  Lookup LookUp(Transaction& transaction);
  MemoryStore::Found Find(const Transaction& transaction);
  // Until it is cancelled.
  io::Task<void> DropUnusedHot();
  // `response` answers the request: counts that, and AnswerHit sends it.
  void TakeHit(Transaction& transaction, Duration left, std::shared_ptr<StoredResponse> response,
               Lookup* lookup);
  io::Task<void> AnswerHit(Transaction& transaction);
  io::Task<void> Miss(Transaction& transaction);
  // For a request that is not coalesced with others.
  std::shared_ptr<CoalescedFetch> MakeUnsharedFetch(const Transaction& transaction);
  std::shared_ptr<CoalescedFetch> MakeFetch(const KeyView& key, std::string slot);
  // Whether a request that comes now may join `fetch`; if not, it is outdated.
  bool MayJoin(CoalescedFetch& fetch, const std::string& key);
  // Whether another loop has stored a usable response since the look-up.
  bool WasStoredMeanwhile(Transaction& transaction);
  io::Task<WaitResult> WaitFor(Transaction& transaction, std::shared_ptr<CoalescedFetch> fetch);
  io::Task<WaitResult> AnswerFromFetch(Transaction& transaction, CoalescedFetch::Reader& reader);
  OriginRequest PlanRequest(const Transaction& transaction) const;
  // Asks the origin for every request that waits on `fetch`; when `fetch` is in no table, for this
  // request alone.
  io::Task<void> FetchFromOrigin(Transaction& transaction, std::shared_ptr<CoalescedFetch> fetch);
  io::Task<void> AnswerFromOrigin(Transaction& transaction, CoalescedFetch::Reader& reader,
                                  HeadDecision decision,
                                  std::unique_ptr<http::ClientExchange> taken);
  // `status`, here and below: the origin's error status; 0: the origin did not answer.
  io::Task<void> AnswerFailure(Transaction& transaction, Error error, int status);
  io::Task<void> AnswerNotModified(Transaction& transaction, const wire::http::ResponseHead& head);

  // Freshens or invalidates the stored response by the head of a response to HEAD.
  void FreshenByHead(Transaction& transaction, CoalescedFetch& fetch,
                     const wire::http::ResponseHead& head);
  StoredResponseMaker::RequestContext ContextOf(const Transaction& transaction) const;
  HeadDecision DecideByHead(Transaction& transaction,
                            const std::shared_ptr<CoalescedFetch>& asked_by,
                            const wire::http::ResponseHead& head);
  // For a 206: a piece of the representation, or the rest of it.
  HeadDecision DecideOnPiece(Transaction& transaction, const std::shared_ptr<CoalescedFetch>& fetch,
                             const wire::http::ResponseHead& head);
  // For a response to POST, which may answer later GETs (RFC 9110 9.3.3).
  HeadDecision DecideOnPost(Transaction& transaction, const std::shared_ptr<CoalescedFetch>& fetch,
                            const wire::http::ResponseHead& head);
  // Why `stored` may be served stale in place of a failure, for Cache-Status; empty: it may not.
  std::string_view StaleReason(const StoredResponse* stored,
                               const wire::http::CacheControl& request, int status) const;
  void EditResponse(Transaction& transaction, const wire::http::ResponseHead& upstream,
                    wire::http::HeaderFields& fields);
  void Invalidate(const Transaction& transaction, const wire::http::ResponseHead& upstream);
  // The response is for one visitor only: no other request joins `fetch`, and later requests for
  // the key do not wait for each other (hit-for-miss).
  void StopSharing(const std::shared_ptr<CoalescedFetch>& fetch);
  void End(CoalescedFetch& fetch, CoalescedFetch::State state);
  CoalescedFetchOptions OptionsOfFetch();
  // Waits for the end of a small body, so that Cache-Status can say whether it was stored.
  io::Task<void> AwaitStored(CoalescedFetch::Reader& reader);

  // Judges the header fields of a response that was fetched for `transaction`.
  void RecordFetch(Transaction& transaction, const wire::http::ResponseHead& head);
  // The same for a background fetch; `stale` may be null, here and below.
  void RecordBackgroundFetch(const KeyView& key, const StoredResponse* stale,
                             const StoredResponseMaker::RequestContext& asking,
                             const wire::http::ResponseHead& head);
  // Counts the head of a response that has no body, or whose body was not read.
  void CountHeadOnly(const wire::http::ResponseHead& head, const StoredResponse* stale,
                     bool crosses);
  std::string UnsharedSlot(const KeyView& key);
  std::optional<Waste> FindWaste(const KeyView& key, const wire::http::ResponseHead& head,
                                 const StoredResponse* stale, WasteInput input);

  // Validates or replaces `stale` in the background (stale-while-revalidate).
  void FetchInBackground(const Transaction& transaction,
                         const std::shared_ptr<StoredResponse>& stale);
  io::Task<void> Fetch(std::shared_ptr<CoalescedFetch> fetch, std::shared_ptr<StoredResponse> stale,
                       OwnedFields request, OwnedFields visitors);

  Options options_;
  Random random_;
  SharedCache& shared_;
  MemoryStore& store_;  // of shared_, like the next three
  FetchTable& fetches_;
  PassTable& passes_;
  PassTable& too_large_;
  Costs costs_;
  StoredResponseMaker maker_;
  std::unique_ptr<HotResponses> hot_;  // null in a process with one loop
  io::WaitQueue hot_added_;            // notified when the first key becomes hot
  uint64_t unshared_fetches_ = 0;
  Counter& hits_;
  Counter& stale_hits_;
  Counter& collapsed_;
  Counter& forwarded_;
  Counter& fetched_;
  Counter& confirmed_;
  Counter& stale_if_error_;
  Counter& unavailable_;
  Gauge& bytes_;
  Gauge& objects_;
};

}  // namespace meridian::edge
