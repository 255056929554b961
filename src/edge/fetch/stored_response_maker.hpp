// StoredResponseMaker: makes stored responses from the origin's responses: from a head whose body
// follows, or from a 304 and the stored response that it validates. Owned by the cache's handler;
// one thread.
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

  // The request that a response of the origin answers.
  struct RequestContext {
    const CacheRequest& asked;
    const wire::http::HeaderFields& request;
    TimePoint at;
    bool without_cookies = false;  // at the CDN's host
  };

  Storability Judge(const RequestContext& asking, const wire::http::ResponseHead& head) const;
  // Whether the response has an explicit freshness lifetime.
  bool SaysFreshness(const wire::http::ResponseHead& head) const;
  // Sets the response of `fetch`, with an empty body, and returns kStore; or returns kVariant or
  // kRoom.
  Storability Begin(const RequestContext& asking, const wire::http::ResponseHead& head,
                    CoalescedFetch& fetch);
  // The same for a 206, combined with the piece `stored` (may be null) when both are of one
  // representation; the result is a 200 when it is whole. The bytes before the arriving part are in
  // its body already; the bytes after it are CoalescedFetch::tail.
  Storability BeginPiece(const RequestContext& asking, const wire::http::ResponseHead& head,
                         const std::shared_ptr<StoredResponse>& stored, CoalescedFetch& fetch);
  // Sets the response of `fetch` to `stale` as the 304 updates it, and stores it, unless the 304's
  // fields make it private. False: the 304 validates another response.
  bool Confirm(const RequestContext& asking, const wire::http::ResponseHead& not_modified,
               const std::shared_ptr<StoredResponse>& stale, CoalescedFetch& fetch);
  // The same for the 200 to a HEAD that matches `stale` (RFC 9111 4.3.5).
  void Freshen(const RequestContext& asking, const wire::http::ResponseHead& head,
               const std::shared_ptr<StoredResponse>& stale, CoalescedFetch& fetch);

 private:
  // Sets the response of `fetch`, unless a purge or an unsafe request forbids it.
  Storability Put(const RequestContext& asking, const wire::http::HeaderFields& fields,
                  std::shared_ptr<StoredResponse> response, CoalescedFetch& fetch);
  Freshness FreshnessOf(const wire::http::HeaderFields& answer, TimePoint asked_at,
                        std::optional<Duration> lifetime);

  io::Loop& loop_;
  const Config& config_;
  MemoryStore& store_;
  Random& random_;
};

// The fields of a response that are sent to visitors and stored.
wire::http::HeaderFields EndToEndFields(const wire::http::ResponseHead& head);

}  // namespace meridian::edge
