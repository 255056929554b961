#include "edge/cache/request_directives.hpp"

#include <optional>
#include <string_view>

#include "wire/http/characters.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::EqualsIgnoreCase;
using wire::http::HeaderField;
using wire::http::HeaderFields;

// Reads the field if it concerns the cache. Switches by length first, so that few are compared.
void ReadField(const HeaderFields& fields, const HeaderField& field, CacheRequest* asked,
               bool* has_control) {
  std::string_view name = field.name;
  switch (name.size()) {
    case 5:
      // Two Range lines are malformed and ignored: the whole is served (RFC 9110 14.2).
      if (EqualsIgnoreCase(name, "range")) asked->range = asked->range ? "" : field.value;
      break;
    case 8:
      if (EqualsIgnoreCase(name, "if-range")) asked->if_range = field.value;
      if (EqualsIgnoreCase(name, "if-match")) asked->bypass = Bypass::kPrecondition;
      break;
    case 13:
      if (EqualsIgnoreCase(name, "cache-control")) *has_control = true;
      if (EqualsIgnoreCase(name, "authorization")) asked->authorized = true;
      if (EqualsIgnoreCase(name, "if-none-match")) {
        if (asked->if_none_match) asked->several_if_none_match = &fields;
        asked->if_none_match = field.value;
      }
      break;
    case 17:
      if (EqualsIgnoreCase(name, "if-modified-since")) asked->if_modified_since = field.value;
      break;
    case 19:
      if (EqualsIgnoreCase(name, "if-unmodified-since")) asked->bypass = Bypass::kPrecondition;
      break;
    default:
      break;
  }
}

CacheRequest ReadFields(const wire::http::RequestHead& request) {
  CacheRequest asked;
  bool has_control = false;
  for (const HeaderField& field : request.fields) {
    ReadField(request.fields, field, &asked, &has_control);
  }
  if (request.nominates_fields) asked.bypass = Bypass::kNomination;
  if (!request.upgrade.empty()) asked.bypass = Bypass::kUpgrade;
  if (has_control) asked.control = wire::http::ParseCacheControl(request.fields);
  return asked;
}

}  // namespace

CacheRequest ReadPostAsGet(const wire::http::RequestHead& post) { return ReadFields(post); }

CacheRequest ReadCacheRequest(const wire::http::RequestHead& request) {
  const bool head = request.method == "HEAD";
  if (!head && request.method != "GET") return {.bypass = Bypass::kMethod};
  CacheRequest asked = ReadFields(request);
  asked.head = head;
  if (request.body.has_body() && asked.bypass != Bypass::kUpgrade) asked.bypass = Bypass::kBody;
  return asked;
}

}  // namespace meridian::edge
