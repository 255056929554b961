// StoredResponseMaker: makes stored responses of what the origin says: a new one of a head whose
// body follows, or of a 304 and what it confirms. Owned by the cache's handler; one thread.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/config.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "io/loop.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class StoredResponseMaker {
 public:
  StoredResponseMaker(io::Loop& loop, const Config& config, MemoryStore& store, Random& random)
      : loop_(loop), config_(config), store_(store), random_(random) {}

  // What an answer of the origin is to.
  struct RequestContext {
    const CacheRequest& asked;
    const wire::http::HeaderFields& request;
    TimePoint at;
    bool without_cookies = false;  // at the CDN's host
  };

  Storability Judge(const RequestContext& asking, const wire::http::ResponseHead& head) const;
  // Whether the answer itself says how long it is fresh.
  bool SaysFreshness(const wire::http::ResponseHead& head) const;
  // Gives `fetch` its response, whose body is empty yet: kStore. Or kVariant, or kRoom.
  Storability Begin(const RequestContext& asking, const wire::http::ResponseHead& head,
                    CoalescedFetch& fetch);
  // The same of a 206, put together with `stored` (which may be null) where they are of one
  // representation: a 200 when it is whole then. Its body has what stood before; the fetch has what
  // comes after.
  Storability BeginPiece(const RequestContext& asking, const wire::http::ResponseHead& head,
                         const std::shared_ptr<StoredResponse>& stored, CoalescedFetch& fetch);
  // Gives `fetch` what `stale` becomes by a 304, and stores it, unless by the 304's fields it is
  // for this visitor alone. False: the 304 is of another.
  bool Confirm(const RequestContext& asking, const wire::http::ResponseHead& not_modified,
               const std::shared_ptr<StoredResponse>& stale, CoalescedFetch& fetch);
  // The same by the 200 to a HEAD, which is about `stale` (RFC 9111 4.3.5).
  void Freshen(const RequestContext& asking, const wire::http::ResponseHead& head,
               const std::shared_ptr<StoredResponse>& stale, CoalescedFetch& fetch);

 private:
  // Gives `fetch` the response, unless a purge or an unsafe request forbids it.
  Storability Put(const RequestContext& asking, const wire::http::HeaderFields& fields,
                  std::shared_ptr<StoredResponse> response, CoalescedFetch& fetch);
  Freshness FreshnessOf(const wire::http::HeaderFields& answer, TimePoint asked_at,
                        std::optional<Duration> lifetime);

  io::Loop& loop_;
  const Config& config_;
  MemoryStore& store_;
  Random& random_;
};

// The fields of an answer that go on to visitors and into the store.
wire::http::HeaderFields PassedOn(const wire::http::ResponseHead& head);

}  // namespace meridian::edge
