// What an answer holds, by its media type: a fixed number of kinds, so that what is counted by them
// is bounded whatever an application says. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace meridian::edge {

enum class ContentKind : uint8_t {
  kHtml,
  kCss,
  kJavaScript,
  kJson,
  kText,  // any other text/
  kPng,
  kJpeg,
  kWebp,
  kAvif,
  kGif,
  kSvg,
  kFont,
  kVideo,
  kAudio,
  kOther,
};
constexpr size_t kContentKinds = 15;

// `content_type` as the field has it; its parameters have no part in it.
ContentKind ContentKindOf(std::string_view content_type);

// As metrics and reports call it: a media type, or "video/*".
std::string_view ContentKindName(ContentKind kind);

// Whether it is usually the same for every visitor: images, scripts, style sheets, fonts, films.
bool IsUsuallyStatic(ContentKind kind);

}  // namespace meridian::edge
