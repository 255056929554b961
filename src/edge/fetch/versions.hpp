// Versions: serves /v/VERSION/path, and tells which version a path has now. What is at a version is
// taken from the plain path when it is first asked for, held against the version, and then kept
// under its own name, with the same body in memory: it is served on when the plain path has moved
// on. Whatever is not that content is the plain path's to answer: a redirect that nobody keeps.
// Owned by the edge; one thread.
//
// Invariants: no other content than the one it names is ever served at a version. A visitor's
// cookies and credentials have no part in it. Purges by tag are about versions too (they have the
// plain path's tags), those by URL about the plain path alone.
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

  // Answers a visitor who asks for `versioned`, which is a view into the request's path.
  io::Task<void> Handle(http::Exchange& exchange, VersionedPath versioned, VisitorRecord& record);

  // Answers GET /.meridian/version?path=…
  io::Task<void> Tell(http::Exchange& exchange);

 private:
  // The plain path's content, as everybody may have it; else why there is none, in `problem`, and
  // what to say then.
  struct Plain {
    std::shared_ptr<StoredResponse> response = {};
    int status = 404;
    std::string problem = {};
  };
  io::Task<Plain> AskPlain(http::Exchange& visitor, std::string_view target, VisitorRecord& record);
  io::Task<std::shared_ptr<StoredResponse>> Make(http::Exchange& exchange, VersionedPath versioned,
                                                 const KeyView& key, VisitorRecord& record);
  std::shared_ptr<StoredResponse> Stored(const KeyView& key, TimePoint now);
  io::Task<void> Redirect(http::Exchange& exchange, std::string_view path);
  io::Task<void> Refuse(http::Exchange& exchange, int status, std::string_view text,
                        CacheStatus cache);
  void Count(const http::Exchange& exchange, ContentKind content, Costs::Source from);
  bool MayTell(const http::Exchange& exchange, std::string_view target) const;

  Options options_;
  Random random_;
  Counter& hits_;
  Counter& made_;
  Counter& redirected_;
};

}  // namespace meridian::edge
