// CacheHandler: what becomes of one visitor's request: answered from the cache, from a fill that
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
#include "edge/fetch/fill.hpp"
#include "edge/fetch/fill_maker.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/loop_detection.hpp"
#include "edge/fetch/trip.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::edge {

class CacheHandler {
 public:
  struct Options {
    io::Loop& loop;
    io::Scope& scope;  // of the process: fills go on in it
    Forwarder& forwarder;
    Metrics& metrics;
    const Config& config;
    std::string default_host;  // of requests without Host
    std::string cdn_domain;    // cdn.<this> is served without cookies; empty: no such host
    std::string here;          // for Meridian-Path
    std::string loop_id = {};  // LoopId of an edge that stands alone
  };
  explicit CacheHandler(Options options);

  struct Asker {
    bool debug = false;  // wants the way of the request, and may know it
    bool own = false;    // is the edge itself, not a visitor
    // Of the visitor whose request this is, or who has brought it about; may be null.
    VisitorRecord* record = nullptr;
  };
  io::Task<void> Handle(http::Exchange& exchange, Asker asker);

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
  enum class Look : uint8_t { kAnswer, kOnlyIfCached, kForward };
  enum class Joined : uint8_t { kAnswered, kLookAgain, kGoAlone };
  // What is done with an answer by its head.
  enum class Taking : uint8_t { kRelay, kStore, kConfirm, kStandIn, kNotModified, kAskAgain };

  Look LookUp(Trip& trip);
  io::Task<void> Miss(Trip& trip);
  // For a request that waits for nobody, and nobody for it.
  std::shared_ptr<Fill> MakeLoneFill(const Trip& trip);
  std::shared_ptr<Fill> FindFill(const std::string& slot, const std::string& key);
  io::Task<Joined> Join(Trip& trip, std::shared_ptr<Fill> fill);
  io::Task<Joined> AnswerFromFill(Trip& trip, Fill::Reader& reader);
  // Asks the origin for all who wait on `fill`, or, when that is in no table, for this one alone.
  io::Task<void> Lead(Trip& trip, std::shared_ptr<Fill> fill);
  io::Task<void> AnswerTaken(Trip& trip, Fill::Reader& reader, Taking taking,
                             std::unique_ptr<http::ClientExchange> taken);
  // `status` is that of the failure, 0 when there is no answer; here and below.
  io::Task<void> AnswerFailure(Trip& trip, Error error, int status);
  io::Task<void> AnswerNotModified(Trip& trip, const wire::http::ResponseHead& head);

  // By the head of an answer to HEAD.
  void FreshenByHead(Trip& trip, Fill& fill, const wire::http::ResponseHead& head);
  FillMaker::Asking AskingOf(const Trip& trip) const;
  Taking JudgeTaking(Trip& trip, const std::shared_ptr<Fill>& asked_by,
                     const wire::http::ResponseHead& head);
  // Of a 206, which may be a piece of the whole, or the rest of it.
  Taking JudgePiece(Trip& trip, const std::shared_ptr<Fill>& fill,
                    const wire::http::ResponseHead& head);
  // Of an answer to POST, which may be one to later GETs (RFC 9110 9.3.3).
  Taking JudgePost(Trip& trip, const std::shared_ptr<Fill>& fill,
                   const wire::http::ResponseHead& head);
  // Why what is stored may answer in place of a failure, for Cache-Status; empty: it may not.
  std::string_view StandInReason(const StoredResponse* stored,
                                 const wire::http::CacheControl& request, int status) const;
  void EditResponse(Trip& trip, const wire::http::ResponseHead& upstream,
                    wire::http::HeaderFields& fields);
  void Invalidate(const Trip& trip, const wire::http::ResponseHead& upstream);
  // What arrives is for whoever asked: nobody else joins it, nor waits for the next.
  void KeepFromOthers(const std::shared_ptr<Fill>& fill);
  void End(Fill& fill, Fill::State state);
  FillOptions OptionsOfFill();
  // For a small body, so that its answer can say whether it was stored.
  io::Task<void> AwaitStored(Fill& fill);

  // Judges the headers of what was fetched for `trip`.
  void NoteFetch(Trip& trip, const wire::http::ResponseHead& head);
  // The same of what was fetched behind a visitor's back; `stale` may be null, here and below.
  void NoteFetchBehind(const KeyView& key, const StoredResponse* stale,
                       const FillMaker::Asking& asking, const wire::http::ResponseHead& head);
  // Counts an answer whose body was not read, or is not there.
  void CountHeadAlone(const wire::http::ResponseHead& head, const StoredResponse* stale,
                      bool crosses);
  std::optional<Waste> FindWaste(const KeyView& key, const wire::http::ResponseHead& head,
                                 const StoredResponse* stale, WasteInput input);

  // Behind a visitor's back.
  // What is stale, confirmed or new.
  void FetchBehind(const Trip& trip, const std::shared_ptr<StoredResponse>& stale);
  io::Task<void> Fetch(std::shared_ptr<Fill> fill, std::shared_ptr<StoredResponse> stale,
                       OwnedFields request, OwnedFields visitors);

  Options options_;
  Random random_;
  Costs costs_;
  MemoryStore store_;
  FillMaker maker_;
  FillTable fills_;
  PassTable passes_;
  PassTable too_large_{kTooLargeTime};
  UnreadFills unread_;
  bool isolated_ = false;
  size_t behind_ = 0;  // of those, that go on
  uint64_t lone_fills_ = 0;
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
