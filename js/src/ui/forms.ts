/** JupyterLab swallows the key press that would submit a form by itself. */
export function submitOnEnter(event: KeyboardEvent): void {
  const { target, key, isComposing } = event;
  if (key !== "Enter" || isComposing || !(target instanceof HTMLInputElement)) return;
  event.preventDefault();
  target.form?.requestSubmit();
}
