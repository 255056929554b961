// Why an answer was not a hit although a better header could have made it one, and which header
// that is. Pure.
//
// What must be fetched anyway is no waste: the first answer of a URL never is, nor content that has
// changed, and what an application keeps from caches (private, no-store) only when the same content
// went out twice. Whether everybody may see it nobody here can know: the mending header says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/content_kind.hpp"

namespace meridian::edge {

enum class Waste : uint8_t {
  kNoFreshness,       // says nothing of its freshness
  kNeverFresh,        // max-age=0 or the like, for content that does not change
  kNoStore,           // no-store, for content that does not change
  kPrivate,           // private, for content that does not change
  kAuthorization,     // answers Authorization and does not say that others may have it
  kSetCookie,         // sets a cookie with what is the same for everybody
  kVary,              // varies by "*" or by too much
  kVaryByVisitor,     // varies by User-Agent or Cookie: nearly every visitor's own copy
  kNoValidator,       // has expired, and cannot be confirmed: all of it was fetched again
  kIgnoresValidator,  // was asked If-None-Match, and sent again what was stored
  kShortLived,        // has expired, and was confirmed: nothing but a request
};

struct WasteInput {
  enum class Stored : uint8_t { kNone, kWithoutValidator, kWithValidator };

  ContentKind content = ContentKind::kOther;
  int status = 200;
  Storability storability = Storability::kStore;
  bool says_freshness = false;    // a lifetime, be it 0, or no-cache
  bool never_fresh = false;       // and each use has to be confirmed
  Duration lifetime{};            // of what was stored and now confirmed
  bool demanded = false;          // the request would not have what is stored
  bool asked_before = false;      // this URL has been fetched before
  bool same_as_before = false;    // and its content was the same
  bool changed = false;           // or was another; neither: nothing tells
  bool other_variant = false;     // variants are stored, and none is this visitor's
  std::string_view vary = {};     // as ParseVary gives it
  Stored stored = Stored::kNone;  // what the origin was asked to confirm
};

// Of a GET that the cache was asked for and whose answer came from the origin. Nothing: no header
// would have saved it.
std::optional<Waste> JudgeWaste(const WasteInput& input);

// Whether the body was wasted, or only the request.
bool WastesBody(Waste waste);

// For reports: a token, what is wrong in a few words, and the header that mends it.
std::string_view WasteName(Waste waste);
std::string_view WasteProblem(Waste waste);
std::string MendingHeader(Waste waste, ContentKind content);

}  // namespace meridian::edge
