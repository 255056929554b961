// What a Prometheus elsewhere needs to scrape a site (`meridian watch scrape-config`). Pure.
#pragma once

#include <string>
#include <vector>

#include "site/secret.hpp"
#include "site/site.hpp"

namespace meridian::agent {

struct ExternalScrape {
  const site::Site& site;
  std::vector<const site::DataCenter*> datacenters;  // edge places too
  const site::Secret& password;                      // of Context::metrics_password
  std::string authority;                             // path of the site's CA certificate
};

// A part of a prometheus.yml with `scrape_configs`. All is scraped at the agents' admin ports: the
// tiers' own are on loopback. It holds the password, which lets its owner read metrics and nothing
// else.
std::string ExternalScrapeConfig(const ExternalScrape& scrape);

}  // namespace meridian::agent
