// Versions: serves /v/VERSION/path, and answers which version a path has now. The first request for
// a version fetches the plain path, and compares its hash with VERSION. Equal content is stored
// under the versioned path too, with the same body in memory, and stays when the content of the
// plain path changes. Other content is answered by a redirect to the plain path, with no-store.
// Owned by the edge; one thread.
//
// Invariants: a versioned path only ever serves the content that has its hash. The visitor's
// cookies and credentials are not used. A purge by tag matches versions too (they have the plain
// path's tags); a purge by URL matches only the URL that it names.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/config.hpp"
#include "edge/costs/costs.hpp"
#include "edge/fetch/cache_handler.hpp"
#include "edge/hosts/versioned_path.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::edge {

class Versions {
 public:
  struct Options {
    CacheHandler& cache;
    Metrics& metrics;
    const Config& config;
    std::string default_host;  // of requests without Host
    std::string cdn_domain;    // as CacheHandler::Options has it
  };
  explicit Versions(Options options);

  // Answers a request for `versioned`, which is a view into the request's path.
  io::Task<void> Handle(http::Exchange& exchange, VersionedPath versioned, VisitorRecord& record);

  // Answers GET /.meridian/version?path=…
  io::Task<void> AnswerVersionQuery(http::Exchange& exchange);

 private:
  // The public content of the plain path; without it, `status` and `problem` are the answer.
  struct PlainContent {
    std::shared_ptr<StoredResponse> response = {};
    int status = 404;
    std::string problem = {};
  };
  io::Task<PlainContent> FetchPlain(http::Exchange& visitor, std::string_view target,
                                    VisitorRecord& record);
  io::Task<std::shared_ptr<StoredResponse>> Make(http::Exchange& exchange, VersionedPath versioned,
                                                 const KeyView& key, VisitorRecord& record);
  std::shared_ptr<StoredResponse> Stored(const KeyView& key, TimePoint now);
  io::Task<void> Redirect(http::Exchange& exchange, std::string_view path);
  io::Task<void> Refuse(http::Exchange& exchange, int status, std::string_view text,
                        CacheStatus cache);
  void Count(const http::Exchange& exchange, ContentKind content, Costs::Source from);
  bool MayReveal(const http::Exchange& exchange, std::string_view target) const;

  Options options_;
  Random random_;
  Counter& hits_;
  Counter& made_;
  Counter& redirected_;
};

}  // namespace meridian::edge
