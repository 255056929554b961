#include "edge/hosts/fallback_script.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/geography.hpp"
#include "site/site.hpp"

namespace meridian::edge {
namespace {

// Service-Worker-Allowed lets a worker from this path serve the whole site, and OwnOrigin lets it
// read responses of another place. The page gets the response under the URL that it requested, so
// that its Content-Security-Policy needs no other names. The worker ignores media requests, which
// use ranges.
constexpr std::string_view kScript = R"js(
(() => {
  'use strict';
  if (typeof window !== 'undefined') {
    if ('serviceWorker' in navigator) {
      navigator.serviceWorker.register('/.meridian/fallback.js', { scope: '/' }).catch(() => {});
    }
    return;
  }
  const kinds = new Set(['image', 'style', 'script', 'font']);
  const failed = new Set([502, 503, 504]);
  const patience = 5000;  // ms, of each place

  const good = (response) => !failed.has(response.status);

  async function elsewhere(request, url) {
    for (const host of elsewheres) {
      if (host === url.hostname) continue;
      const other = new URL(url);
      other.hostname = host;
      try {
        const response = await fetch(other, { mode: 'cors', credentials: 'omit', signal: AbortSignal.timeout(patience) });
        if (!good(response)) continue;
        const { status, statusText, headers } = response;
        return new Response(await response.blob(), { status, statusText, headers });
      } catch { /* the next one */ }
    }
    return undefined;
  }

  async function answer(request, url) {
    let first;
    try {
      first = await fetch(request);
    } catch (problem) {
      const other = await elsewhere(request, url);
      if (other === undefined) throw problem;
      return other;
    }
    return good(first) ? first : (await elsewhere(request, url)) ?? first;
  }

  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || !kinds.has(request.destination)) return;
    if (url.hostname !== self.location.hostname && !elsewheres.includes(url.hostname)) return;
    event.respondWith(answer(request, url));
  });
})();
)js";

}  // namespace

std::string FallbackScript(const site::Site& site, const site::DataCenter& here) {
  std::vector<std::pair<double, std::string>> others;
  for (const site::DataCenter& dc : site.datacenters) {
    if (dc.name == here.name) continue;
    others.emplace_back(DistanceKm(here.location, dc.location), dc.name);
  }
  std::ranges::sort(others);
  std::string names;
  for (const auto& [distance, name] : others) {
    names += fmt::format("{}'{}.{}'", names.empty() ? "" : ", ", name, site.domain);
  }
  return fmt::format("const elsewheres = [{}];{}", names, kScript);
}

}  // namespace meridian::edge
