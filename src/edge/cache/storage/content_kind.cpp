#include "edge/cache/storage/content_kind.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/http/characters.hpp"

namespace meridian::edge {
namespace {

using wire::http::EqualsIgnoreCase;

struct Named {
  std::string_view name;
  ContentKind kind;
};

constexpr std::array kExact = {
    Named{"text/html", ContentKind::kHtml},
    Named{"text/css", ContentKind::kCss},
    Named{"text/javascript", ContentKind::kJavaScript},
    Named{"application/javascript", ContentKind::kJavaScript},
    Named{"application/json", ContentKind::kJson},
    Named{"image/png", ContentKind::kPng},
    Named{"image/jpeg", ContentKind::kJpeg},
    Named{"image/webp", ContentKind::kWebp},
    Named{"image/avif", ContentKind::kAvif},
    Named{"image/gif", ContentKind::kGif},
    Named{"image/svg+xml", ContentKind::kSvg},
};
constexpr std::array kBeginnings = {
    Named{"text/", ContentKind::kText},
    Named{"font/", ContentKind::kFont},
    Named{"video/", ContentKind::kVideo},
    Named{"audio/", ContentKind::kAudio},
};

}  // namespace

ContentKind ContentKindOf(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  const auto* exact = std::ranges::find_if(
      kExact, [&](const Named& named) { return EqualsIgnoreCase(type, named.name); });
  if (exact != kExact.end()) return exact->kind;
  const auto* beginning = std::ranges::find_if(kBeginnings, [&](const Named& named) {
    return EqualsIgnoreCase(type.substr(0, named.name.size()), named.name);
  });
  return beginning == kBeginnings.end() ? ContentKind::kOther : beginning->kind;
}

std::string_view ContentKindName(ContentKind kind) {
  switch (kind) {
    case ContentKind::kHtml:
      return "text/html";
    case ContentKind::kCss:
      return "text/css";
    case ContentKind::kJavaScript:
      return "text/javascript";
    case ContentKind::kJson:
      return "application/json";
    case ContentKind::kText:
      return "text/*";
    case ContentKind::kPng:
      return "image/png";
    case ContentKind::kJpeg:
      return "image/jpeg";
    case ContentKind::kWebp:
      return "image/webp";
    case ContentKind::kAvif:
      return "image/avif";
    case ContentKind::kGif:
      return "image/gif";
    case ContentKind::kSvg:
      return "image/svg+xml";
    case ContentKind::kFont:
      return "font/*";
    case ContentKind::kVideo:
      return "video/*";
    case ContentKind::kAudio:
      return "audio/*";
    case ContentKind::kOther:
      return "other";
  }
  return "other";
}

bool IsUsuallyStatic(ContentKind kind) {
  switch (kind) {
    case ContentKind::kHtml:
    case ContentKind::kJson:
    case ContentKind::kText:
    case ContentKind::kOther:
      return false;
    case ContentKind::kCss:
    case ContentKind::kJavaScript:
    case ContentKind::kPng:
    case ContentKind::kJpeg:
    case ContentKind::kWebp:
    case ContentKind::kAvif:
    case ContentKind::kGif:
    case ContentKind::kSvg:
    case ContentKind::kFont:
    case ContentKind::kVideo:
    case ContentKind::kAudio:
      return true;
  }
  return false;
}

}  // namespace meridian::edge
