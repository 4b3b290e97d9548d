/** Every item of a list that the API answers page by page, each page fetched when the loop gets there. */
export async function* eachOf<Item, Next>(
  fetchPage: (next: Next | undefined) => Promise<{ items: readonly Item[]; next: Next | undefined }>,
): AsyncGenerator<Item, void, void> {
  let next: Next | undefined;
  do {
    const page = await fetchPage(next);
    yield* page.items;
    next = page.next;
  } while (next !== undefined);
}
