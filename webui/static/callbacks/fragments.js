// Reads a page or a part of one from our own server, whose templates escape whatever people typed. The only place where markup is
// read by these scripts: what comes as data is made into text everywhere else.

export async function readMarkup(address) {
  // What goes wrong comes as JSON, in the server's own words.
  const response = await fetch(address, { headers: { Accept: "application/json, text/html;q=0.9" }, credentials: "same-origin" });
  if (!response.ok) {
    const data = await response.json().catch(() => null);
    throw Object.assign(new Error(data?.error?.message ?? `HTTP ${response.status}`), { status: response.status });
  }
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
